// Package timeline remembers when messages passed the stages of their way from
// a sender to the others, as one node saw it, to answer why one was late.
//
// A [Book] is of one node, in memory, and bounded: 24 hours and 65,536 messages,
// which take at most 12 MB. It holds ids, times and counts, and nothing of what
// was said.
package timeline
