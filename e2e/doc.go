// Package e2e drives whole nodes as processes: the built program, real sockets, real
// files, and faults such as kill -9 and a full disk. It knows the wire contract and
// the program's settings, nothing of the code behind them.
package e2e
