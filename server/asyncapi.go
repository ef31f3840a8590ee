package server

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

// frameKind is what surrounds the payload of a frame.
type frameKind int

const (
	commandFrame frameKind = iota // {id, op, d}, from the client
	eventFrame                    // {op, chat_id, seq, ts, actor_id, d}
	plainFrame                    // {op, d}
	resetFrame                    // {op, chat_id, seq, d}
	chatFrame                     // {op, chat_id, d}
)

// frameRow is one op of the WebSocket, from which its documents are made.
type frameRow struct {
	op      string
	kind    frameKind
	d       reflect.Type
	answer  reflect.Type // of a command; nil: ready answers it
	summary string
}

// frames lists all ops, commands first.
func frames() []frameRow {
	return append(commandRows(), append(eventRows(), pushRows()...)...)
}

func commandRows() (rows []frameRow) {
	for _, c := range commands() {
		rows = append(rows, frameRow{c.op, commandFrame, c.handler.payload, c.handler.answer, c.summary})
	}
	return rows
}

func eventRows() []frameRow {
	return []frameRow{
		{string(chat.OpChatCreated), eventFrame, reflect.TypeFor[chat.Chat](), nil, "A chat was created"},
		{string(chat.OpChatUpdated), eventFrame, reflect.TypeFor[chat.Chat](), nil, "A chat was renamed or archived"},
		{string(chat.OpChatDeleted), eventFrame, reflect.TypeFor[nothing](), nil, "A chat was deleted by an administrator; chat.left follows"},
		{string(chat.OpMemberAdded), eventFrame, reflect.TypeFor[chat.MemberEvent](), nil, "A member was added"},
		{string(chat.OpMemberUpdated), eventFrame, reflect.TypeFor[chat.MemberEvent](), nil, "A member's role changed"},
		{string(chat.OpMemberRemoved), eventFrame, reflect.TypeFor[chat.MemberEvent](), nil, "A member was removed or left"},
		{string(chat.OpMessageCreated), eventFrame, reflect.TypeFor[chat.MessageCreated](), nil, "A message was sent"},
		{string(chat.OpMessageEdited), eventFrame, reflect.TypeFor[chat.MessageEdited](), nil, "A message was edited"},
		{string(chat.OpMessageDeleted), eventFrame, reflect.TypeFor[chat.MessageDeleted](), nil, "A message was deleted"},
		{string(chat.OpReactionAdded), eventFrame, reflect.TypeFor[chat.ReactionEvent](), nil, "A reaction was added"},
		{string(chat.OpReactionRemoved), eventFrame, reflect.TypeFor[chat.ReactionEvent](), nil, "A reaction was removed"},
	}
}

func pushRows() []frameRow {
	return []frameRow{
		{"hello", plainFrame, reflect.TypeFor[helloData](), nil, "Who you are, and the limits in force"},
		{"chats", plainFrame, reflect.TypeFor[chatsDocument](), nil, "Part of your chats, before the replay"},
		{"reset", resetFrame, reflect.TypeFor[reasonData](), nil, "Read this chat's history: events up to seq are not replayed"},
		{string(chat.OpChatJoined), plainFrame, reflect.TypeFor[entryData](), nil, "You became a member of a chat; acts as a reset of it"},
		{string(chat.OpChatLeft), plainFrame, reflect.TypeFor[chat.ChatLeft](), nil, "You are no longer a member of a chat"},
		{string(chat.OpSessionRevoked), plainFrame, reflect.TypeFor[chat.SessionRevoked](), nil, "One of your sessions was revoked"},
		{string(chat.OpBlockAdded), plainFrame, reflect.TypeFor[chat.BlockChanged](), nil, "You blocked a user, on whatever device"},
		{string(chat.OpBlockRemoved), plainFrame, reflect.TypeFor[chat.BlockChanged](), nil, "You unblocked a user"},
		{"signal", chatFrame, reflect.TypeFor[signalData](), nil, "What a member tells those who are connected; stored nowhere"},
		{"typing", chatFrame, reflect.TypeFor[typingData](), nil, "Who else is typing in a chat now, at most 5; empty: nobody"},
		{"presence", plainFrame, reflect.TypeFor[presenceData](), nil, "The current presence of users you watch"},
		{"cursor", chatFrame, reflect.TypeFor[cursorData](), nil, "How far a member has read; with counts when it is you, on another device"},
		{hintMembership, chatFrame, reflect.TypeFor[membershipData](), nil, "What you changed about your own membership, on another device"},
		{"drain", plainFrame, reflect.TypeFor[drainData](), nil, "Finish, then reconnect after retry_after_ms"},
		{"degraded", plainFrame, reflect.TypeFor[degradedData](), nil, "What the server drops under load; empty: nothing any longer"},
	}
}

// object is a JSON object under construction.
type object map[string]any

// asyncDocument is an AsyncAPI 3 document and the table from which it was made.
type asyncDocument struct {
	rows    []frameRow
	schemas huma.Registry
	root    object
}

func (d asyncDocument) encode() []byte {
	data, err := json.Marshal(d.root)
	if err != nil {
		panic("describe the WebSocket: " + err.Error()) // only of our own types: a test would fail
	}
	return data
}

// asyncAPI describes /ws from the server's side: it receives commands and sends
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
	case resetFrame:
		p["chat_id"], p["seq"] = text(), number()
		return envelope(r.op, p, "op", "chat_id", "seq", "d")
	case chatFrame:
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
