// Package client is a client of the wire contract for tests and checks: a person
// with a token, and sockets and streams that keep every frame they were sent. A
// step that fails ends the test. It knows the contract only, nothing of the
// server.
package client
