// Package load is many people who chat with a cluster whatever happens to it:
// they send, edit and react, come back to any node after any close, repeat what
// was not answered under the same key, and note everything that they see. What
// they noted is judged by package check. It knows the wire contract only.
package load
