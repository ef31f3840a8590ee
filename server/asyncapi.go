package server

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

// frameKind is what is around the payload of a frame.
type frameKind int

const (
	commandFrame frameKind = iota // {id, op, d}, from the client
	eventFrame                    // {op, chat_id, seq, ts, actor_id, d}
	plainFrame                    // {op, d}
	chatFrame                     // {op, chat_id, seq, d}
	hintFrame                     // {op, chat_id, d}
)

// frameRow is one op of the WebSocket: what the AsyncAPI document and the page
// about it are made of.
type frameRow struct {
	op      string
	kind    frameKind
	d       reflect.Type
	answer  reflect.Type // of a command; nil: ready ends it
	summary string
}

// frames is the table of the ops, commands first.
func frames() []frameRow {
	return append(commandRows(), append(eventRows(), pushRows()...)...)
}

func commandRows() []frameRow {
	return []frameRow{
		{"auth", commandFrame, reflect.TypeFor[authPayload](), reflect.TypeFor[nothing](), "Say who one is, within 5 s, when the upgrade carried no valid credential"},
		{"resume", commandFrame, reflect.TypeFor[resumePayload](), nil, "Get every chat and what was missed; {} for a fresh start; once per connection; answered by ready"},
		{"message.send", commandFrame, reflect.TypeFor[sendPayload](), reflect.TypeFor[chat.Sent](), "Send a message; answered after the commit"},
		{"message.edit", commandFrame, reflect.TypeFor[editPayload](), reflect.TypeFor[editedAnswer](), "Edit one's own message"},
		{"message.delete", commandFrame, reflect.TypeFor[messagePayload](), reflect.TypeFor[seqAnswer](), "Delete a message"},
		{"reaction.add", commandFrame, reflect.TypeFor[reactionPayload](), reflect.TypeFor[seqAnswer](), "React to a message"},
		{"reaction.remove", commandFrame, reflect.TypeFor[reactionPayload](), reflect.TypeFor[seqAnswer](), "Take a reaction back"},
		{"cursor.set", commandFrame, reflect.TypeFor[cursorPayload](), reflect.TypeFor[chat.CursorState](), "Move one's cursor forward"},
		{"typing.set", commandFrame, reflect.TypeFor[typingPayload](), reflect.TypeFor[nothing](), "Say that one types, again every few seconds, or stopped"},
		{"presence.set", commandFrame, reflect.TypeFor[statePayload](), reflect.TypeFor[nothing](), "Set one's presence on all devices, until changed; online clears it"},
		{"presence.watch", commandFrame, reflect.TypeFor[watchPayload](), reflect.TypeFor[presenceData](), "Say whose presence this client shows, at most 500; replaces the last; answers how they are now"},
		{"activity", commandFrame, reflect.TypeFor[nothing](), reflect.TypeFor[nothing](), "Say that the person did something: without it they are away after a while"},
		{"ping", commandFrame, reflect.TypeFor[nothing](), reflect.TypeFor[nothing](), "Ask for an answer"},
	}
}

func eventRows() []frameRow {
	return []frameRow{
		{string(chat.OpChatCreated), eventFrame, reflect.TypeFor[chat.Chat](), nil, "A chat was created"},
		{string(chat.OpChatUpdated), eventFrame, reflect.TypeFor[chat.Chat](), nil, "A chat was renamed or archived"},
		{string(chat.OpMemberAdded), eventFrame, reflect.TypeFor[chat.MemberEvent](), nil, "A member was added"},
		{string(chat.OpMemberUpdated), eventFrame, reflect.TypeFor[chat.MemberEvent](), nil, "A member's role changed"},
		{string(chat.OpMemberRemoved), eventFrame, reflect.TypeFor[chat.MemberEvent](), nil, "A member was removed or left"},
		{string(chat.OpMessageCreated), eventFrame, reflect.TypeFor[chat.MessageCreated](), nil, "A message was sent"},
		{string(chat.OpMessageEdited), eventFrame, reflect.TypeFor[chat.MessageEdited](), nil, "A message was edited"},
		{string(chat.OpMessageDeleted), eventFrame, reflect.TypeFor[chat.MessageDeleted](), nil, "A message was deleted"},
		{string(chat.OpReactionAdded), eventFrame, reflect.TypeFor[chat.ReactionEvent](), nil, "Somebody reacted"},
		{string(chat.OpReactionRemoved), eventFrame, reflect.TypeFor[chat.ReactionEvent](), nil, "Somebody took a reaction back"},
	}
}

func pushRows() []frameRow {
	return []frameRow{
		{"hello", plainFrame, reflect.TypeFor[helloData](), nil, "Who one is, and what the server enforces"},
		{"chats", plainFrame, reflect.TypeFor[chatsPayload](), nil, "A part of one's chats, before the replay"},
		{"reset", chatFrame, reflect.TypeFor[reasonData](), nil, "Read this chat's history: events up to seq are not replayed"},
		{string(chat.OpChatJoined), plainFrame, reflect.TypeFor[entryData](), nil, "One became a member of a chat; acts as a reset of it"},
		{string(chat.OpChatLeft), plainFrame, reflect.TypeFor[chat.ChatLeft](), nil, "One is no member of a chat any more"},
		{string(chat.OpSessionRevoked), plainFrame, reflect.TypeFor[chat.SessionRevoked](), nil, "A session of one's own was revoked"},
		{"typing", hintFrame, reflect.TypeFor[typingData](), nil, "Who types in a chat now, at most 5, without oneself; empty: nobody"},
		{"presence", plainFrame, reflect.TypeFor[presenceData](), nil, "How people who are watched are now"},
		{"cursor", hintFrame, reflect.TypeFor[cursorData](), nil, "How far a member has come; with the counts when it is oneself, on another device"},
		{"drain", plainFrame, reflect.TypeFor[drainData](), nil, "Finish, then reconnect after retry_after_ms"},
		{"degraded", plainFrame, reflect.TypeFor[degradedPayload](), nil, "What the server drops under load; empty: nothing any more"},
	}
}

// The payloads of commands, and of what is sent in another form than it is described.
type (
	authPayload struct {
		Token string `json:"token" required:"true"`
	}
	resumePayload struct {
		Epoch   string           `json:"epoch,omitempty"`
		Cursors map[string]int64 `json:"cursors,omitempty" doc:"the last seq held, by chat id; not with token"`
		Token   *string          `json:"token,omitempty" doc:"the last id of an event stream (SSE)"`
	}
	sendPayload struct {
		ChatID  string `json:"chat_id" required:"true"`
		Key     string `json:"key" required:"true" doc:"1 to 64 characters from 0x21 to 0x7E, unique per sender and chat, for ever"`
		Body    string `json:"body" required:"true"`
		ReplyTo string `json:"reply_to,omitempty"`
	}
	editPayload struct {
		MessageID string `json:"message_id" required:"true"`
		Body      string `json:"body" required:"true"`
		Version   int64  `json:"version" required:"true" doc:"the version that is edited"`
	}
	messagePayload struct {
		MessageID string `json:"message_id" required:"true"`
	}
	reactionPayload struct {
		MessageID string `json:"message_id" required:"true"`
		Emoji     string `json:"emoji" required:"true"`
	}
	cursorPayload struct {
		ChatID       string `json:"chat_id" required:"true"`
		ReadSeq      *int64 `json:"read_seq,omitempty"`
		DeliveredSeq *int64 `json:"delivered_seq,omitempty"`
	}
	typingPayload struct {
		ChatID string `json:"chat_id" required:"true"`
		Typing bool   `json:"typing" required:"true"`
	}
	statePayload struct {
		State chat.PresenceState `json:"state" required:"true" enum:"online,away,dnd,invisible"`
	}
	watchPayload struct {
		UserIDs []string `json:"user_ids" required:"true" maxItems:"500"`
	}
	editedAnswer struct {
		Seq     int64 `json:"seq"`
		Version int64 `json:"version"`
	}
	seqAnswer struct {
		Seq int64 `json:"seq,omitempty" doc:"missing when nothing changed"`
	}
	chatsPayload struct {
		Chats []chat.Entry `json:"chats"`
	}
	degradedPayload struct {
		Dropping []string `json:"dropping"`
	}
)

// object is a JSON object under construction.
type object map[string]any

// asyncDocument is an AsyncAPI 3 document and the table that it was made from.
type asyncDocument struct {
	rows    []frameRow
	schemas huma.Registry
	root    object
}

func (d asyncDocument) encode() []byte {
	data, err := json.Marshal(d.root)
	if err != nil {
		panic("describe the WebSocket: " + err.Error()) // of our own types only: a test would see it
	}
	return data
}

// asyncAPI describes /ws, as the server sees it: it receives commands and sends
// the rest.
func (s *Server) asyncAPI() asyncDocument {
	d := asyncDocument{rows: frames(), schemas: s.apiConfig().Components.Schemas}
	messages, names, operations := object{}, object{}, object{}
	add := func(name, summary string, payload object) {
		messages[name] = object{"name": name, "summary": summary, "contentType": "application/json", "payload": payload}
		names[name] = ref("#/components/messages/" + name)
	}
	add("error", "A command was refused", envelope("error", object{"re": nullableText(), "d": d.schema(reflect.TypeFor[Problem]())}, "re", "op", "d"))
	add("ready", "The end of a resume", envelope("ready", object{"re": text(), "d": d.schema(reflect.TypeFor[epochData]())}, "re", "op", "d"))
	for _, r := range d.rows {
		add(r.op, r.summary, d.payload(r))
		operation := object{"action": "send", "channel": ref("#/channels/ws"), "messages": []object{ref("#/channels/ws/messages/" + r.op)}, "summary": r.summary}
		if r.kind == commandFrame {
			answer := "ready"
			if r.answer != nil {
				answer = r.op + ".ok"
				add(answer, "The answer to "+r.op, envelope("ok", object{"re": text(), "d": d.schema(r.answer)}, "re", "op", "d"))
			}
			operation["action"] = "receive"
			operation["reply"] = object{"channel": ref("#/channels/ws"),
				"messages": []object{ref("#/channels/ws/messages/" + answer), ref("#/channels/ws/messages/error")}}
		}
		operations[r.op] = operation
	}
	d.root = object{
		"asyncapi": "3.0.0", "defaultContentType": "application/json",
		"info": object{"title": "Fechatter", "version": s.cfg.Version, "description": "The WebSocket, subprotocol " + subprotocol + ": one JSON object per text message."},
		"channels": object{"ws": object{"address": "/ws", "messages": names,
			"bindings": object{"ws": object{"method": "GET", "bindingVersion": "0.1.0"}}}},
		"operations": operations,
		"components": object{"messages": messages, "schemas": d.schemas.Map()},
	}
	return d
}

func (d asyncDocument) schema(t reflect.Type) *huma.Schema { return d.schemas.Schema(t, true, "") }

func (d asyncDocument) payload(r frameRow) object {
	p := object{"d": d.schema(r.d)}
	switch r.kind {
	case commandFrame:
		p["id"] = object{"type": "string", "minLength": 1, "maxLength": maxCommandID}
		return envelope(r.op, p, "id", "op")
	case eventFrame:
		p["chat_id"], p["seq"], p["actor_id"] = text(), number(), text()
		p["ts"] = object{"type": "string", "format": "date-time"}
		return envelope(r.op, p, "op", "chat_id", "seq", "ts", "actor_id", "d")
	case chatFrame:
		p["chat_id"], p["seq"] = text(), number()
		return envelope(r.op, p, "op", "chat_id", "seq", "d")
	case hintFrame:
		p["chat_id"] = text()
		return envelope(r.op, p, "op", "chat_id", "d")
	}
	return envelope(r.op, p, "op", "d")
}

func envelope(op string, properties object, required ...string) object {
	properties["op"] = object{"const": op}
	return object{"type": "object", "properties": properties, "required": required}
}

func ref(to string) object { return object{"$ref": to} }
func text() object         { return object{"type": "string"} }
func nullableText() object { return object{"type": []string{"string", "null"}} }
func number() object       { return object{"type": "integer"} }
