package server

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"

	"fechatter/chat"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestTokenBothWays(t *testing.T) {
	for _, n := range []int{0, 1, 100, 2000} {
		cursors := map[string]int64{}
		for i := range n {
			cursors[uuid.NewString()] = int64(i) * 1e9
		}
		order := slices.Collect(maps.Keys(cursors))
		want := token{epoch: "0199a0c0-0000-7000-8000-000000000001/7412345678901234567/3", horizon: 1<<40 + 7, complete: true, cursors: cursors}
		s := want.encode(order)
		if len(s) > maxTokenBytes {
			t.Fatalf("%d chats make %d bytes", n, len(s))
		}
		got, err := parseToken(s)
		if err != nil {
			t.Fatal(err)
		}
		if got.epoch != want.epoch || got.horizon != want.horizon || got.complete != (len(got.cursors) == n) {
			t.Errorf("%d chats: got %+v", n, got)
		}
		for i, id := range order[:len(got.cursors)] {
			if got.cursors[id] != cursors[id] {
				t.Errorf("cursor %d: got %d, want %d", i, got.cursors[id], cursors[id])
			}
		}
		if n >= 100 && len(got.cursors) < 100 {
			t.Errorf("only %d of %d cursors fit", len(got.cursors), n)
		}
	}
}

func TestTokenOfADetachedChatIsNotComplete(t *testing.T) {
	got, err := parseToken(token{epoch: "e", cursors: map[string]int64{}}.encode(nil))
	if err != nil || got.complete {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestTokenWithATime: a token of the first release had a time where the horizon is now.
func TestTokenWithATime(t *testing.T) {
	b := binary.AppendVarint([]byte{timedVersion, 0}, 1767323045678)
	id := uuid.MustParse("0199a0c0-0000-7000-8000-000000000001")
	b = append(append(append(b, 1, 'e'), id[:]...), 42)
	got, err := parseToken(base64.RawURLEncoding.EncodeToString(b))
	want := token{epoch: "e", cursors: map[string]int64{id.String(): 42}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestSeen(t *testing.T) {
	s := seen{below: 10}
	step := func(want chat.Horizon, cursors map[string]int64) {
		t.Helper()
		if s.follow(cursors); s.below != want {
			t.Errorf("%v: everything below %d, want %d", cursors, s.below, want)
		}
	}
	step(10, map[string]int64{"a": 1})
	s.next, s.awaited = 20, map[string]int64{"a": 3, "b": 5}
	step(10, map[string]int64{"a": 3})
	step(10, map[string]int64{"a": 9, "b": 4})
	step(20, map[string]int64{"a": 9, "b": 5, "c": 1})
	s.next, s.awaited = 30, map[string]int64{}
	step(30, nil)
}

func TestRecency(t *testing.T) {
	var r recency
	step := func(now map[string]int64, moved bool, order ...string) {
		t.Helper()
		if got := r.update(now); got != moved {
			t.Errorf("%v: moved %v", now, got)
		}
		if diff := cmp.Diff(order, r.order); diff != "" {
			t.Errorf("%v: %s", now, diff)
		}
	}
	step(map[string]int64{"a": 1, "b": 1}, true, "a", "b")
	step(map[string]int64{"a": 1, "b": 1}, false, "a", "b")
	step(map[string]int64{"a": 1, "b": 2}, true, "b", "a")
	step(map[string]int64{"a": 1, "b": 2, "c": 9}, true, "c", "b", "a")
	step(map[string]int64{"a": 1, "c": 9}, true, "c", "a")
}

func FuzzParseToken(f *testing.F) {
	f.Add(token{epoch: "e", horizon: 5, complete: true, cursors: map[string]int64{uuid.Nil.String(): 7}}.encode([]string{uuid.Nil.String()}))
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseToken(s)
		if err != nil {
			if !errors.Is(err, errToken) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		back, err := parseToken(got.encode(slices.Collect(maps.Keys(got.cursors))))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.cursors) < 100 && !maps.Equal(back.cursors, got.cursors) || back.epoch != got.epoch && len(got.epoch) < 100 {
			t.Fatalf("%q: %+v became %+v", s, got, back)
		}
	})
}
