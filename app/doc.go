// Package app puts a node together: it reads the settings, opens the adapters
// that they name, starts the parts in order, and stops them in reverse.
//
// It is the only package that knows all others. It holds no rule of chatting and
// speaks no protocol of its own; what it adds is wiring, health and metrics.
package app
