package server

import (
	"context"
	"reflect"

	"fechatter/chat"
)

// commandRow is one row of the table: the only way for a command to run. Limits,
// metrics and the AsyncAPI document are made of it as well.
type commandRow struct {
	op      string
	handler commandHandler
	budget  budget
	scope   chat.Scopes // that a key needs; 0: no key may
	summary string
}

// commandHandler runs a command and answers it, unless it returns an error.
type commandHandler struct {
	payload, answer reflect.Type // answer nil: ready answers it
	run             func(ctx context.Context, c *connection, re *string, d []byte) error
}

func commands() []commandRow {
	return []commandRow{
		{"auth", answersItself((*connection).auth, reflect.TypeFor[nothing]()), ofRequests, chat.ScopeAny, "Authenticate, within 5 s, when the upgrade carried no valid credential"},
		{"resume", answersItself((*connection).startResume, nil), ofResumes, chat.ScopeRead, "Get your chats and the events you missed; {} for a fresh start; once per connection; answered by ready"},
		{"message.send", answersItself((*connection).sendMessage, reflect.TypeFor[chat.Sent]()), ofMessages, chat.ScopeSend, "Send a message; answered after the commit"},
		{"message.edit", answers((*connection).editMessage), ofRequests, chat.ScopeSend, "Edit your own message"},
		{"message.delete", answers((*connection).deleteMessage), ofRequests, chat.ScopeSend, "Delete a message"},
		{"reaction.add", answers((*connection).addReaction), ofRequests, chat.ScopeSend, "React to a message"},
		{"reaction.remove", answers((*connection).removeReaction), ofRequests, chat.ScopeSend, "Remove your reaction"},
		{"cursor.set", answers((*connection).setCursor), ofRequests, chat.ScopeRead, "Move your cursor forward"},
		{"typing.set", answers((*connection).setTyping), ofRequests, chat.ScopeSend, "Show that you are typing; repeat every few seconds, or stop"},
		{"signal", answers((*connection).signal), ofRequests, chat.ScopeSend, "Tell the members who are connected now something that is not stored"},
		{"presence.set", answers((*connection).setPresence), ofRequests, chat.ScopeSend, "Set your presence on all devices until you change it; online clears it"},
		{"presence.watch", answers((*connection).watchPresence), ofRequests, chat.ScopeRead, "Watch the presence of up to 500 users, instead of those watched so far; answers their current presence"},
		{"activity", answers((*connection).activity), ofRequests, chat.ScopeAny, "Report that the person did something; without it they turn away after a while"},
		{"ping", answers((*connection).ping), ofRequests, chat.ScopeAny, "Ask for an answer"},
	}
}

// answers makes the handler of a command that is answered with ok.
func answers[I, O any](fn func(c *connection, ctx context.Context, in I) (O, error)) commandHandler {
	return answersItself(func(c *connection, ctx context.Context, re *string, in I) error {
		out, err := fn(c, ctx, in)
		if err == nil {
			c.answer(re, "ok", out)
		}
		return err
	}, reflect.TypeFor[O]())
}

// answersItself makes the handler of a command whose answer is not all that it sends.
func answersItself[I any](fn func(c *connection, ctx context.Context, re *string, in I) error, answer reflect.Type) commandHandler {
	form := formOf(reflect.TypeFor[I]())
	return commandHandler{payload: reflect.TypeFor[I](), answer: answer,
		run: func(ctx context.Context, c *connection, re *string, d []byte) error {
			var in I
			if err := form.decodeValid(d, &in); err != nil { // part of a frame that is valid
				return err
			}
			return fn(c, ctx, re, in)
		}}
}

// commandTable finds the rows by op.
type commandTable map[string]commandRow

func newCommandTable() commandTable {
	t := commandTable{}
	for _, row := range commands() {
		t[row.op] = row
	}
	return t
}

// of returns the row of an op. All unknown ops share one row, so that what clients
// make up never becomes a label of the metrics.
func (t commandTable) of(op string) commandRow {
	if row, ok := t[op]; ok {
		return row
	}
	return commandRow{op: "unknown", scope: chat.ScopeAny, handler: commandHandler{run: func(context.Context, *connection, *string, []byte) error {
		return chat.Errorf(chat.BadRequest, "unknown op")
	}}}
}
