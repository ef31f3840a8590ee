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

// asked is one call in one chat.
type asked struct {
	what    string // send, add, remove or position
	user    int
	key     string
	content string
}

// told is what it answered: a code, or a seq.
type told struct {
	code     chat.Code
	seq      int64
	replayed bool // of a send; of an addition, that the user was a member already
}

// oneByOne is a chat as it would be if calls came one after the other.
type oneByOne struct {
	last    int64
	members map[int]bool
	keys    map[string]sentOnce // by user and key
}

type sentOnce struct {
	seq     int64
	content string
}

// step gives the only right answer and the chat afterwards.
func (c oneByOne) step(in asked) (told, oneByOne) {
	next := oneByOne{c.last + 1, maps.Clone(c.members), maps.Clone(c.keys)}
	switch in.what {
	case "send":
		id := fmt.Sprint(in.user, in.key)
		first, known := c.keys[id]
		switch {
		case known && first.content != in.content:
			return told{code: chat.KeyReused}, c
		case known:
			return told{seq: first.seq, replayed: true}, c
		case !c.members[in.user]:
			return told{code: chat.NotFound}, c
		}
		next.keys[id] = sentOnce{next.last, in.content}
		return told{seq: next.last}, next
	case "add":
		if c.members[in.user] {
			return told{replayed: true}, c
		}
		next.members[in.user] = true
		return told{seq: next.last}, next
	case "remove":
		if !c.members[in.user] {
			return told{code: chat.NotFound}, c
		}
		delete(next.members, in.user)
		return told{seq: next.last}, next
	}
	return told{seq: c.last}, c
}

func (c oneByOne) equal(d oneByOne) bool {
	return c.last == d.last && maps.Equal(c.members, d.members) && maps.Equal(c.keys, d.keys)
}

// linearModel describes a chat of so many members, of whom the first made it.
func linearModel(members int) porcupine.Model {
	begin := oneByOne{int64(1 + members), map[int]bool{}, map[string]sentOnce{}}
	for i := range members {
		begin.members[i] = true
	}
	return porcupine.Model{
		Init: func() any { return begin },
		Step: func(state, in, out any) (bool, any) {
			want, next := state.(oneByOne).step(in.(asked))
			return want == out.(told), next
		},
		Equal: func(a, b any) bool { return a.(oneByOne).equal(b.(oneByOne)) },
	}
}

// asker runs calls and writes down when they began and ended.
type asker struct {
	store  *persistence.Store
	chat   chat.Chat
	people []chat.User
	began  time.Time

	mu      sync.Mutex
	history []porcupine.Operation
}

func (a *asker) ask(ctx context.Context, t *testing.T, client int, in asked) {
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

func (a *asker) run(ctx context.Context, in asked) (told, error) {
	svc, owner, user := persistencetest.Service(a.store), a.people[0], a.people[in.user]
	switch in.what {
	case "send":
		sent, err := svc.Send(ctx, chat.Send{ChatID: a.chat.ID, SenderID: user.ID, Key: in.key, Body: in.content})
		return told{seq: sent.Seq, replayed: sent.Replayed}, err
	case "add":
		m, added, err := svc.AddMember(ctx, owner.ID, a.chat.ID, user.ID, "")
		if err != nil || !added {
			return told{replayed: err == nil}, err
		}
		return told{seq: m.AddedSeq}, nil
	case "remove":
		seq, err := svc.RemoveMember(ctx, owner.ID, a.chat.ID, user.ID)
		return told{seq: seq}, err
	}
	_, last, err := a.store.Positions(ctx, []string{a.chat.ID})
	return told{seq: last[a.chat.ID]}, err
}

// history lets clients loose on a new chat, two for each of its members.
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
				in := asked{what: "send", user: client % members, key: fmt.Sprint("k", random.IntN(6)),
					content: []string{"one", "one", "one", "two"}[random.IntN(4)]}
				switch random.IntN(6) {
				case 0:
					in = asked{what: []string{"add", "remove"}[random.IntN(2)], user: 1 + random.IntN(members-1)}
				case 1:
					in = asked{what: "position"}
				}
				a.ask(t.Context(), t, client, in)
			}
		})
	}
	all.Wait()
	return a.history
}

// populateAgain makes a chat of people with names of their own.
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

// TestLinearizable: whatever clients do at once, with keys, replays, removals and
// readmissions, every answer is one that they could have got one after the other,
// in an order that agrees with time.
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
			if result := porcupine.CheckOperationsTimeout(linearModel(3), operations, 20*time.Second); result != porcupine.Ok {
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

// TestLinearModel: the model accepts what is right and notices what is not.
func TestLinearModel(t *testing.T) {
	send := func(call, end int64, key string, out told) porcupine.Operation {
		return porcupine.Operation{Input: asked{what: "send", user: 1, key: key, content: "x"}, Call: call, Output: out, Return: end}
	}
	remove := func(call, end, seq int64) porcupine.Operation {
		return porcupine.Operation{Input: asked{what: "remove", user: 1}, Call: call, Output: told{seq: seq}, Return: end}
	}
	for name, test := range map[string]struct {
		want    bool
		history []porcupine.Operation
	}{
		"in turn":                {true, []porcupine.Operation{send(0, 1, "a", told{seq: 4}), send(2, 3, "a", told{seq: 4, replayed: true})}},
		"at once, either first":  {true, []porcupine.Operation{send(0, 5, "a", told{seq: 5}), send(1, 4, "b", told{seq: 4})}},
		"against time":           {false, []porcupine.Operation{send(0, 1, "a", told{seq: 5}), send(2, 3, "b", told{seq: 4})}},
		"stored twice":           {false, []porcupine.Operation{send(0, 1, "a", told{seq: 4}), send(2, 3, "a", told{seq: 5})}},
		"a hole":                 {false, []porcupine.Operation{send(0, 1, "a", told{seq: 5})}},
		"after the removal":      {false, []porcupine.Operation{remove(0, 1, 4), send(2, 3, "a", told{seq: 5})}},
		"refused after it":       {true, []porcupine.Operation{remove(0, 1, 4), send(2, 3, "a", told{code: chat.NotFound})}},
		"replayed after it":      {true, []porcupine.Operation{send(0, 1, "a", told{seq: 4}), remove(2, 3, 5), send(4, 5, "a", told{seq: 4, replayed: true})}},
		"not replayed after it":  {false, []porcupine.Operation{send(0, 1, "a", told{seq: 4}), remove(2, 3, 5), send(4, 5, "a", told{code: chat.NotFound})}},
		"a position of the past": {false, []porcupine.Operation{send(0, 1, "a", told{seq: 4}), {Input: asked{what: "position"}, Call: 2, Output: told{seq: 3}, Return: 3}}},
	} {
		if got := porcupine.CheckOperations(linearModel(2), test.history); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
