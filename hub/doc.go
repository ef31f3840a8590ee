// Package hub carries events to connections: streams in, frames out.
//
// A stream is the numbered event sequence of one chat or of one user. The hub puts the events of
// each stream in order (sequencer), reads back from the [Source] what the [Bus] lost (repair,
// position check), keeps the latest for those who come back (ring), and writes each event, encoded
// once, to every subscribed connection (pump).
//
// The hub knows streams, sequence numbers, subscribers and the frames of RFC 6455. It does not know
// chats, membership rules, JSON, HTTP or the WebSocket handshake.
//
// # What the server does
//
// Start [Hub.Run] first: timers, repairs and heartbeats live there. Then wrap a hijacked connection
// with [Hub.NewWire], passing the bytes that net/http has read ahead, and [Hub.Register] the Wire.
// From then on write only through the [Conn].
//
// A WebSocket is read by [Conn.Read], which answers pings and close frames and hands messages to a
// [Reader]. For SSE: write the response head with [Conn.SendRaw], then notice by [Conn.Discard]
// that the client has gone.
//
// To subscribe a connection: [Hub.Open] the streams, then read membership and positions from the
// database, then call [Hub.AttachPersonal] and [Hub.Attach], then release what Open pinned. The
// order matters: an event committed after the read reaches the hub because the bus subscription was
// already there. A late or repeated Attach does no harm: what a connection was sent is not sent
// again.
//
// # Locks
//
// The order is: bus or epoch, shard, stream, Conn, Wire; tasks, agenda, wheel, registry and the
// lots of parked wires are leaves. Owners, readers and the source are called under none of them,
// the bus under its own lock (Subscribe, Unsubscribe) or none.
//
// # Rules proved by breaking them
//
// For each of these, mutations.txt holds an edit that breaks it and the tests that must turn red:
//
//   - A removal between an Attach's read and its subscription is found.
//   - Frames after a removal go to a set without the removed user.
//   - Frames before a join go to a set without the joiner.
//   - A new subscription waits for the last frames of the one that ended.
//   - The ring replays no edited or deleted text.
//   - A hole larger than the window is never jumped.
//   - A delivered event that comes again is dropped.
//   - An Attach whose position is ahead of the stream waits for it.
//   - What belongs to another history of the database is not continued by number.
//   - The position check of a personal stream never backs off.
//   - The bus subscription is in force before the position is read.
//   - An event that was heard and never committed is exposed by the one that was.
//   - A control frame never lands inside a frame.
//   - What comes while a wire is being parked wakes it.
//   - What was reported of a wire that has ended wakes no other.
package hub
