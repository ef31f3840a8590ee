// Package hub carries events to connections: streams in, frames out.
//
// A stream is the numbered event sequence of one chat or of one user. The hub puts the events of each stream into
// order (sequencer), reads back from the [Source] what the [Bus] lost (repair, position check), keeps the latest for
// those who come back (ring), and writes each event, encoded once, to every subscribed connection (pump).
//
// The hub knows streams, sequence numbers, subscribers and bytes. It does not know chats, membership rules, JSON,
// HTTP, the WebSocket handshake or how a client's frames are read.
//
// # What the server does
//
// Start [Hub.Run] first; timers, repairs and heartbeats live there. For a WebSocket:
//
//  1. Give websocket.Accept a ResponseWriter whose Hijack calls the real one, wraps the connection by [Hub.NewWire]
//     (with the bytes that net/http had read ahead) and returns the Wire and [Wire.ReadWriter].
//  2. Register the Wire: [Hub.Register]. From then on write only through the [Conn], and never through
//     websocket.Conn: a Wire refuses everything from there but whole control frames.
//  3. Pass OnPingReceived = conn.Pong and return false (cheap, and a flood of pings costs one slot), OnPongReceived =
//     conn.Alive; call conn.Alive for each message read too.
//  4. Read until an error, then call CloseNow of websocket.Conn. After [Conn.Close] reading on is allowed and lets
//     the close handshake finish, but not needed.
//
// For SSE: write the response head to the Wire's connection by [Conn.SendRaw], read until an error to notice that the
// client has gone, then call [Wire.Close].
//
// To subscribe a connection: [Hub.Open] the streams, then read membership and positions from the database, then
// [Hub.AttachPersonal] and [Hub.Attach], then release what Open pinned. The order matters: an event committed after the read reaches the
// hub because the bus subscription was there before it. A late or repeated Attach does no harm: what a connection was
// sent is not sent again.
//
// # Locks
//
// The order is: bus or epoch, shard, stream, Conn, Wire; tasks, agenda, wheel and registry are leaves. Owners are called under
// none of them, the source under none, the bus under its own (Subscribe, Unsubscribe) or none.
//
// # Rules that are proved by breaking them
//
// Each rule below sits in a small file of its own beside a broken twin; the build tag picks the twin, and the test must
// turn red (mutations.txt lists the pairs).
//
//	mutate_fence          a removal between an Attach's read and its subscription is found
//	mutate_split_removal  frames after a removal are for a set without the removed
//	mutate_split_join     frames before a join are for a set without the joiner
//	mutate_leaving        a new subscription waits for the last frames of the ended one
//	mutate_stale          the ring replays no edited or deleted text
//	mutate_wide           a hole larger than the window is never jumped
//	mutate_old            what was delivered is dropped when it comes again
//	mutate_behind         an Attach whose position is ahead of the stream waits for it
//	mutate_epoch          what belongs to another history of the database is not continued by number
//	mutate_eager          the position check of a personal stream never backs off
//	mutate_open           the bus subscription comes before the position is read
//	mutate_boundary       a control frame never lands inside a frame
package hub
