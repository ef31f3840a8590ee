// Package door admits sockets to a server, within a number of places, and decides who
// leaves when places run short: whoever only waits, strangers first, and the longest
// waiting of the address that has most. A socket on which the server works, or which was
// kept for a live connection, is never closed. Who is beyond the places is turned away
// with an answer, for which there are a few spare places.
//
// It does not know what a request asks for, who is a stranger or what is alive: its
// caller says so.
package door
