package persistence_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// request is a call in a chat.
type request struct {
	what    string // send, add, remove or position
	user    int
	key     string
	content string
}

// response is what the call returned: a code, or a seq.
type response struct {
	code     chat.Code
	seq      int64
	replayed bool // for an addition: the user was already a member
}

// oneByOne is a chat as it would be if calls came one at a time.
type oneByOne struct {
	last    int64
	members map[int]bool
	keys    map[string]sentOnce // by user and key
}

type sentOnce struct {
	seq     int64
	content string
}

// step returns the only right response, and the chat afterwards.
func (c oneByOne) step(in request) (response, oneByOne) {
	next := oneByOne{c.last + 1, maps.Clone(c.members), maps.Clone(c.keys)}
	switch in.what {
	case "send":
		id := fmt.Sprint(in.user, in.key)
		first, known := c.keys[id]
		switch {
		case known && first.content != in.content:
			return response{code: chat.KeyReused}, c
		case known:
			return response{seq: first.seq, replayed: true}, c
		case !c.members[in.user]:
			return response{code: chat.NotFound}, c
		}
		next.keys[id] = sentOnce{next.last, in.content}
		return response{seq: next.last}, next
	case "add":
		if c.members[in.user] {
			return response{replayed: true}, c
		}
		next.members[in.user] = true
		return response{seq: next.last}, next
	case "remove":
		if !c.members[in.user] {
			return response{code: chat.NotFound}, c
		}
		delete(next.members, in.user)
		return response{seq: next.last}, next
	}
	return response{seq: c.last}, c
}

func (c oneByOne) equal(d oneByOne) bool {
	return c.last == d.last && maps.Equal(c.members, d.members) && maps.Equal(c.keys, d.keys)
}

// linearModel describes a chat with a number of members, made by the first.
func linearModel(members int) porcupine.Model {
	begin := oneByOne{int64(1 + members), map[int]bool{}, map[string]sentOnce{}}
	for i := range members {
		begin.members[i] = true
	}
	return porcupine.Model{
		Init: func() any { return begin },
		Step: func(state, in, out any) (bool, any) {
			want, next := state.(oneByOne).step(in.(request))
			return want == out.(response), next
		},
		Equal: func(a, b any) bool { return a.(oneByOne).equal(b.(oneByOne)) },
	}
}

// asker runs calls and records when they began and ended.
type asker struct {
	store  *persistence.Store
	chat   chat.Chat
	people []chat.User
	began  time.Time

	mu      sync.Mutex
	history []porcupine.Operation
}

func (a *asker) ask(ctx context.Context, t *testing.T, client int, in request) {
	call := time.Since(a.began).Nanoseconds()
	out, err := a.run(ctx, in)
	end := time.Since(a.began).Nanoseconds()
	if out.code = chat.CodeOf(err); out.code != "" && out.code != chat.NotFound && out.code != chat.KeyReused {
		t.Errorf("%+v: %v", in, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.history = append(a.history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: end})
}

func (a *asker) run(ctx context.Context, in request) (response, error) {
	svc, owner, user := persistencetest.Service(a.store), a.people[0], a.people[in.user]
	switch in.what {
	case "send":
		sent, err := svc.Send(ctx, chat.Send{ChatID: a.chat.ID, SenderID: user.ID, Key: in.key, Body: in.content})
		return response{seq: sent.Seq, replayed: sent.Replayed}, err
	case "add":
		m, added, err := svc.AddMember(ctx, owner.ID, a.chat.ID, user.ID, "")
		if err != nil || !added {
			return response{replayed: err == nil}, err
		}
		return response{seq: m.AddedSeq}, nil
	case "remove":
		seq, err := svc.RemoveMember(ctx, owner.ID, a.chat.ID, user.ID)
		return response{seq: seq}, err
	}
	_, ends, err := a.store.Positions(ctx, []string{a.chat.ID})
	return response{seq: ends[a.chat.ID].Seq}, err
}

// history runs clients on a new chat, two for each member.
func history(t *testing.T, store *persistence.Store, seed uint64) []porcupine.Operation {
	t.Helper()
	const members, each = 3, 8
	rooms, people := populateAgain(t, store, fmt.Sprint("s", seed), members)
	a := &asker{store: store, chat: rooms, people: people, began: time.Now()}
	var all sync.WaitGroup
	for client := range 2 * members {
		random := rand.New(rand.NewPCG(seed, uint64(client)))
		all.Go(func() {
			for range each {
				in := request{what: "send", user: client % members, key: fmt.Sprint("k", random.IntN(6)),
					content: []string{"one", "one", "one", "two"}[random.IntN(4)]}
				switch random.IntN(6) {
				case 0:
					in = request{what: []string{"add", "remove"}[random.IntN(2)], user: 1 + random.IntN(members-1)}
				case 1:
					in = request{what: "position"}
				}
				a.ask(t.Context(), t, client, in)
			}
		})
	}
	all.Wait()
	return a.history
}

// populateAgain makes a chat of people whose names begin with prefix.
func populateAgain(t *testing.T, store *persistence.Store, prefix string, members int) (chat.Chat, []chat.User) {
	t.Helper()
	svc := persistencetest.Service(store)
	var people []chat.User
	var ids []string
	for i := range members {
		u, err := svc.SignUp(t.Context(), chat.NewUser{Username: fmt.Sprint(prefix, "-", i), Password: "a good password"})
		if err != nil {
			t.Fatal(err)
		}
		people, ids = append(people, u), append(ids, u.ID)
	}
	c, _, err := svc.CreateChat(t.Context(), ids[0], chat.NewChat{Kind: chat.Group, MemberIDs: ids[1:]})
	if err != nil {
		t.Fatal(err)
	}
	return c, people
}

// TestLinearizable: whatever clients do concurrently, with keys, replays, removals and
// readmissions, the responses are possible for calls one at a time, in an order that
// agrees with time.
func TestLinearizable(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		rounds := 20
		if testing.Short() {
			rounds = 4
		}
		first := rand.Uint64()
		for round := range rounds {
			seed := first + uint64(round)
			operations := history(t, store, seed)
			if result := porcupine.CheckOperationsTimeout(linearModel(3), operations, time.Minute); result != porcupine.Ok {
				t.Fatalf("seed %d: %s\n%s", seed, result, inOrder(operations))
			}
		}
	})
}

func inOrder(operations []porcupine.Operation) (text string) {
	slices.SortFunc(operations, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	for _, o := range operations {
		text += fmt.Sprintf("%9d–%9d client %d: %+v → %+v\n", o.Call, o.Return, o.ClientId, o.Input, o.Output)
	}
	return text
}

// TestLinearModel: the model accepts what is right and rejects what is wrong.
func TestLinearModel(t *testing.T) {
	send := func(call, end int64, key string, out response) porcupine.Operation {
		return porcupine.Operation{Input: request{what: "send", user: 1, key: key, content: "x"}, Call: call, Output: out, Return: end}
	}
	remove := func(call, end, seq int64) porcupine.Operation {
		return porcupine.Operation{Input: request{what: "remove", user: 1}, Call: call, Output: response{seq: seq}, Return: end}
	}
	for name, test := range map[string]struct {
		want    bool
		history []porcupine.Operation
	}{
		"in turn":                {true, []porcupine.Operation{send(0, 1, "a", response{seq: 4}), send(2, 3, "a", response{seq: 4, replayed: true})}},
		"at once, either first":  {true, []porcupine.Operation{send(0, 5, "a", response{seq: 5}), send(1, 4, "b", response{seq: 4})}},
		"against time":           {false, []porcupine.Operation{send(0, 1, "a", response{seq: 5}), send(2, 3, "b", response{seq: 4})}},
		"stored twice":           {false, []porcupine.Operation{send(0, 1, "a", response{seq: 4}), send(2, 3, "a", response{seq: 5})}},
		"a hole":                 {false, []porcupine.Operation{send(0, 1, "a", response{seq: 5})}},
		"after the removal":      {false, []porcupine.Operation{remove(0, 1, 4), send(2, 3, "a", response{seq: 5})}},
		"refused after it":       {true, []porcupine.Operation{remove(0, 1, 4), send(2, 3, "a", response{code: chat.NotFound})}},
		"replayed after it":      {true, []porcupine.Operation{send(0, 1, "a", response{seq: 4}), remove(2, 3, 5), send(4, 5, "a", response{seq: 4, replayed: true})}},
		"not replayed after it":  {false, []porcupine.Operation{send(0, 1, "a", response{seq: 4}), remove(2, 3, 5), send(4, 5, "a", response{code: chat.NotFound})}},
		"a position of the past": {false, []porcupine.Operation{send(0, 1, "a", response{seq: 4}), {Input: request{what: "position"}, Call: 2, Output: response{seq: 3}, Return: 3}}},
	} {
		if got := porcupine.CheckOperations(linearModel(2), test.history); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
