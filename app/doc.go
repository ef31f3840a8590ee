// Package app assembles a node: it reads the settings, opens the adapters that they
// name, starts the parts in order, and stops them in reverse.
//
// It is the only package that knows all others. It has no rules of chat and speaks no
// protocol of its own; it adds wiring, commands, health and metrics.
package app
