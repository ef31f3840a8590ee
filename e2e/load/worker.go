package load

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"fechatter/client"
	"fechatter/e2e/check"
)

// worker does what one person does, one thing at a time.
type worker struct {
	*device
	load    *Load
	rng     *rand.Rand
	removed bool // may be removed at any time, when refusals are in order
	mine    []*written
}

// written is a message of the worker's own.
type written struct {
	id, key string
	version int64
}

// run works until ctx ends, and finishes what it began unless finishing ends too.
func (w *worker) run(ctx, finishing context.Context) {
	for ctx.Err() == nil {
		chat := w.load.pick(w.rng)
		switch draw := w.rng.IntN(100); {
		case w.rng.IntN(100) < w.load.cfg.Churn:
			w.churn(finishing)
		case draw < 70 || len(w.mine) == 0:
			w.send(finishing, chat)
		case draw < 80:
			w.edit(finishing)
		case draw < 82:
			w.remove(finishing)
		case draw < 93:
			w.react(finishing)
		case draw < 99 || !w.load.room():
			w.readTo(finishing, chat)
		default:
			w.found(finishing)
		}
		pause(ctx, time.Duration(w.rng.Int64N(int64(2*w.load.cfg.Pace)+1)))
	}
}

// anyNode draws a node for a request.
func (w *worker) anyNode() string { return w.urls[w.rng.IntN(len(w.urls))] }

// insist repeats a command until its answer is final: over the connection, or by
// REST at any node. It gives up when ctx ends.
func (w *worker) insist(ctx context.Context, socket, rest func() (answer, error)) (answer, error) {
	for {
		try := socket
		if try == nil || w.rng.IntN(4) == 0 {
			try = rest
		}
		a, err := try()
		if codeOf(err) == "internal" || codeOf(err) == "unauthenticated" {
			w.record.fault("%s: %v", w.label, err)
		}
		if final(err) || ctx.Err() != nil {
			return a, err
		}
		pause(ctx, time.Duration(20+w.rng.IntN(200))*time.Millisecond)
	}
}

// send sends a message to a chat.
func (w *worker) send(ctx context.Context, chat *group) {
	key := client.NewKey()
	s := w.record.begin(check.Send{ChatID: chat.id, SenderID: w.id, Key: key})
	body := check.Body(key, 1) + w.load.padding
	var twin sync.WaitGroup
	defer twin.Wait()
	if w.rng.IntN(10) == 0 {
		node := w.anyNode()
		twin.Go(func() { w.repeat(ctx, node, s, body) })
	}
	a, err := w.insist(ctx, func() (answer, error) {
		a, err := w.call(ctx, "message.send", map[string]any{"chat_id": chat.id, "key": key, "body": body})
		if !unanswered(err) {
			w.record.attempt(w.label, err)
		}
		return a, err
	}, func() (answer, error) {
		a, err := w.request(ctx, http.MethodPost, "/chats/"+chat.id+"/messages", map[string]any{"body": body}, "Idempotency-Key", key)
		w.record.attempt(w.label+" by REST", err)
		return a, err
	})
	switch {
	case err == nil:
		w.record.acked(s, a)
		w.mine = append(w.mine, &written{a.id(), key, 1})
		chat.note(a.id())
	case codeOf(err) == "not_found" && w.removed:
	case unanswered(err):
	default:
		w.record.fault("%s: send: %v", w.label, err)
	}
}

// repeat makes one more attempt at a send, at the same time as the first.
func (w *worker) repeat(ctx context.Context, node string, s *check.Send, body string) {
	var a answer
	err := w.rest(ctx, node, http.MethodPost, "/chats/"+s.ChatID+"/messages", map[string]any{"body": body}, &a, "Idempotency-Key", s.Key)
	if err == nil { // else the other attempts decide
		w.record.acked(s, a)
	}
}

func (w *worker) request(ctx context.Context, method, path string, body any, headers ...string) (a answer, err error) {
	err = w.rest(ctx, w.anyNode(), method, path, body, &a, headers...)
	return a, err
}

// edit rewrites a message of the worker's own.
func (w *worker) edit(ctx context.Context) {
	m := w.mine[w.rng.IntN(len(w.mine))]
	body := check.Body(m.key, m.version+1)
	_, err := w.insist(ctx, func() (answer, error) {
		return w.call(ctx, "message.edit", map[string]any{"message_id": m.id, "body": body, "version": m.version})
	}, func() (answer, error) {
		return w.request(ctx, http.MethodPatch, "/messages/"+m.id, map[string]any{"body": body, "version": m.version})
	})
	if err == nil {
		m.version++
		return
	}
	w.forget(m) // nobody knows what it is now
	w.complain("edit", err)
}

// remove deletes a message of the worker's own.
func (w *worker) remove(ctx context.Context) {
	m := w.mine[w.rng.IntN(len(w.mine))]
	w.forget(m)
	_, err := w.insist(ctx, func() (answer, error) {
		return w.call(ctx, "message.delete", map[string]any{"message_id": m.id})
	}, func() (answer, error) {
		return w.request(ctx, http.MethodDelete, "/messages/"+m.id, nil)
	})
	w.complain("delete", err)
}

func (w *worker) forget(m *written) {
	kept := w.mine[:0]
	for _, other := range w.mine {
		if other != m {
			kept = append(kept, other)
		}
	}
	w.mine = kept
}

// react adds an emoji to any message, or removes it.
func (w *worker) react(ctx context.Context) {
	id := w.load.pick(w.rng).message(w.rng)
	if id == "" {
		return
	}
	emoji := string([]rune("👍🎉👀")[w.rng.IntN(3)])
	op, method := "reaction.add", http.MethodPut
	if w.rng.IntN(3) == 0 {
		op, method = "reaction.remove", http.MethodDelete
	}
	_, err := w.insist(ctx, func() (answer, error) {
		return w.call(ctx, op, map[string]any{"message_id": id, "emoji": emoji})
	}, func() (answer, error) {
		return w.request(ctx, method, "/messages/"+id+"/reactions/"+emoji, nil)
	})
	if codeOf(err) == "conflict" {
		return // the message was deleted meanwhile
	}
	w.complain("react", err)
}

// readTo moves the cursor of a chat to what the device has.
func (w *worker) readTo(ctx context.Context, chat *group) {
	_, held := w.stand()
	seq, member := held[chat.id]
	if !member {
		return
	}
	d := map[string]any{"chat_id": chat.id, "read_seq": seq}
	a, err := w.insist(ctx, func() (answer, error) { return w.call(ctx, "cursor.set", d) },
		func() (answer, error) {
			return w.request(ctx, http.MethodPut, "/chats/"+chat.id+"/cursor", map[string]any{"read_seq": seq})
		})
	if err == nil {
		w.record.stored(check.Cursor{ChatID: chat.id, UserID: w.id, ReadSeq: a.ReadSeq})
		if a.ReadSeq < seq {
			w.record.fault("%s: %s read to %d, stored as %d", w.label, chat.id, seq, a.ReadSeq)
		}
	}
	w.complain("cursor", err)
}

// found makes one more chat with everybody.
func (w *worker) found(ctx context.Context) {
	key := client.NewKey()
	a, err := w.insist(ctx, nil, func() (answer, error) {
		return w.request(ctx, http.MethodPost, "/chats", map[string]any{"kind": "group", "member_ids": w.load.others(w.person)}, "Idempotency-Key", key)
	})
	if err == nil {
		w.load.add(a.ID, w.person)
		return
	}
	w.complain("make chat", err)
}

// churn removes somebody movable from a chat that the worker owns, or adds them
// again.
func (w *worker) churn(ctx context.Context) {
	chat := w.load.owned(w.person, w.rng)
	if chat == nil || len(w.load.movable) == 0 {
		return
	}
	who := w.load.movable[w.rng.IntN(len(w.load.movable))]
	if who == w.person {
		return
	}
	var err error
	if out := chat.flip(who.id); out {
		err = w.expel(ctx, chat, who)
	} else {
		err = w.admit(ctx, chat, who)
	}
	w.complain("member", err)
}

func (w *worker) expel(ctx context.Context, chat *group, who *person) error {
	_, err := w.insist(ctx, nil, func() (answer, error) {
		return w.request(ctx, http.MethodDelete, "/chats/"+chat.id+"/members/"+who.id, nil)
	})
	if codeOf(err) == "not_found" {
		return nil // an earlier attempt did it
	}
	return err
}

func (w *worker) admit(ctx context.Context, chat *group, who *person) error {
	_, err := w.insist(ctx, nil, func() (answer, error) {
		return w.request(ctx, http.MethodPost, "/chats/"+chat.id+"/members", map[string]any{"user_id": who.id})
	})
	return err
}

// complain notes a refusal without an excuse.
func (w *worker) complain(what string, err error) {
	code := codeOf(err)
	if err == nil || unanswered(err) || w.removed && (code == "not_found" || code == "forbidden") {
		return
	}
	w.record.fault("%s: %s: %v", w.label, what, err)
}
