// Package load is many people who chat with a cluster whatever happens to it: they
// send, edit and react, come back to any node after any close, repeat under the same
// key what was not answered, and note everything that they see, for package check to
// judge. It knows the wire contract only.
package load
