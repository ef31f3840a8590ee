// Package client is the client of tests and checks: a person with a session, and
// sockets and streams that keep every frame. A step that fails ends the test. It
// speaks by the module's package client, and knows the contract only, nothing of
// the server.
package client
