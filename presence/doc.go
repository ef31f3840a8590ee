// Package presence knows who is online. It has two layers.
//
// Leases are the knowledge that all nodes share: a lease per connection, renewed
// while the connection lives, and when each person was last active. Memory
// keeps them for a single node, Redis for many. Both go by a single clock and
// report each departure to exactly one caller.
//
// Tracker is one node's side: it renews the leases of the connections here,
// notices what changes, and tells those who watch. view.go alone decides what
// one person sees of another's presence.
//
// What lasts (the setting that a person chose, when they were last active) is in
// the database, behind Facts: a restart of Redis makes nobody visible who is
// invisible. The package knows neither SQL nor the bus nor sockets.
package presence
