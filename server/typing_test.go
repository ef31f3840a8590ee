package server

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func wantNews(t *testing.T, what string, got []typingNews, want ...string) {
	t.Helper()
	var told []string
	for _, n := range got {
		told = append(told, fmt.Sprint(n.chatID, " ", n.users))
	}
	if !slices.Equal(told, want) {
		t.Errorf("%s: sent %q, want %q", what, told, want)
	}
}

func TestTyping(t *testing.T) {
	y, now := newTyping(), time.Now()
	after := func(d time.Duration) time.Time { now = now.Add(d); return now }
	y.hear("c", "ann", true, 5, now)
	wantNews(t, "the first at once", y.dueIn("c", now), "c [ann]")
	y.hear("c", "bob", true, 5, after(100*time.Millisecond))
	y.hear("c", "cat", true, 5, now)
	wantNews(t, "not twice in a second", y.dueIn("c", now))
	wantNews(t, "what gathered", y.due(after(900*time.Millisecond)), "c [ann bob cat]")
	y.hear("c", "bob", false, 5, after(2*time.Second))
	wantNews(t, "who stops", y.due(now), "c [ann cat]")
	y.hear("c", "ann", true, 5, now)
	y.hear("c", "cat", true, 5, now)
	wantNews(t, "who goes on is nothing new", y.due(after(time.Second)))
	wantNews(t, "but told again before it expires there", y.due(after(2*time.Second)), "c [ann cat]")
	wantNews(t, "and only once", y.due(after(2*time.Second)))
	wantNews(t, "it expires by itself", y.due(after(time.Second)), "c []")
	if len(y.chats) != 0 {
		t.Errorf("%d chats are remembered", len(y.chats))
	}
	y.hear("c", "eve", false, 5, now)
	wantNews(t, "who never began", y.due(now))
}

// A removed member is not shown, whatever of theirs is still on its way.
func TestTypingOfARemovedMember(t *testing.T) {
	y, now := newTyping(), time.Now()
	y.hear("c", "ann", true, 5, now)
	wantNews(t, "before", y.dueIn("c", now), "c [ann]")
	y.forget("c", "ann", 7, now)
	y.hear("c", "ann", true, 6, now)
	wantNews(t, "after the removal", y.due(now.Add(time.Second)), "c []")
	y.forget("d", "bob", 7, now) // heard of before the typing
	y.hear("d", "bob", true, 6, now)
	wantNews(t, "typed before, heard after", y.dueIn("d", now))
	y.hear("d", "bob", true, 8, now)
	wantNews(t, "added again", y.dueIn("d", now), "d [bob]")
	y.due(now.Add(typingTTL))
	y.due(now.Add(typingTTL + typingEvery))
	if len(y.chats) != 0 {
		t.Errorf("%d chats are remembered", len(y.chats))
	}
}

func TestTypingNames(t *testing.T) {
	n := typingNews{"c", []string{"a", "b", "c", "d", "e", "f"}}
	for user, want := range map[string][]string{"": {"a", "b", "c", "d", "e"}, "b": {"a", "c", "d", "e", "f"}, "f": {"a", "b", "c", "d", "e"}} {
		if got := n.to(user, nil); !slices.Equal(got, want) {
			t.Errorf("to %q: %v, want %v", user, got, want)
		}
	}
	y, now := newTyping(), time.Now()
	for i := range 2 * maxTypists {
		y.hear("c", fmt.Sprint(i), true, 5, now)
	}
	if got := len(y.dueIn("c", now)[0].users); got != maxTypists {
		t.Errorf("%d typists are remembered", got)
	}
}

func TestReceipts(t *testing.T) {
	r, now := newReceipts(), time.Now()
	want := func(what string, got []receiptNews, want ...string) {
		t.Helper()
		var told []string
		for _, n := range got {
			told = append(told, n.chatID+" "+n.user+" "+string(n.frame))
		}
		if slices.Sort(told); !slices.Equal(told, want) {
			t.Errorf("%s: sent %q, want %q", what, told, want)
		}
	}
	r.hear("c", "ann", []byte("1"))
	want("at once", r.dueIn("c", now), "c ann 1")
	r.hear("c", "ann", []byte("2"))
	r.hear("c", "ann", []byte("3"))
	r.hear("c", "bob", []byte("1"))
	want("another member", r.dueIn("c", now), "c bob 1")
	want("the latest, after a second", r.due(now.Add(receiptEvery)), "c ann 3")
	want("nothing new", r.due(now.Add(2*receiptEvery)))
	if len(r.chats) != 0 {
		t.Errorf("%d chats are remembered", len(r.chats))
	}
}
