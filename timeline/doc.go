// Package timeline remembers when messages passed each stage of their way from the
// sender to the others, as one node saw it, to tell why one was late.
//
// A [Book] belongs to one node, is kept in memory and bounded: 24 hours and 65,536
// messages, which take at most 12 MB. It holds ids, times and counts, but no
// content.
package timeline
