// Package presence says who is here. It has two layers.
//
// Leases are the shared knowledge of all nodes: a lease per connection, renewed
// while the connection lives, and when each person was last active. Memory
// keeps them for a single node, Redis for many. Both take their time from one
// clock, and tell each departure to exactly one caller.
//
// Tracker is a node's side of it: it renews the leases of the connections here,
// notices what changes, and tells those who watch. What a person's presence is
// in the eyes of another is decided in view.go and nowhere else.
//
// What lasts (the setting that a person made, when they were last active) is in
// the database, behind Facts: nobody who is invisible becomes visible because
// Redis was restarted. The package knows neither SQL nor the bus nor sockets.
package presence
