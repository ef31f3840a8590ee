package check

import (
	"maps"
	"reflect"
)

// checkFold: the events of a chat, as seen live, or as the log has them where
// nobody saw them, fold to what the history API shows.
func checkFold(run *Run, r *report) {
	live := map[string]map[int64]Event{}
	for _, c := range run.Connections {
		for _, f := range c.Frames {
			if f.Event == nil {
				continue
			}
			if live[f.ChatID] == nil {
				live[f.ChatID] = map[int64]Event{}
			}
			if _, known := live[f.ChatID][f.Seq]; !known {
				live[f.ChatID][f.Seq] = *f.Event
			}
		}
	}
	for _, c := range run.Chats {
		folded := fold{}
		for _, e := range c.Log {
			if seen, ok := live[c.ID][e.Seq]; ok {
				e = seen
			}
			folded.apply(e)
		}
		folded.compare(c, r)
	}
}

// fold is the messages, by id, that events make.
type fold map[string]*folded

type folded struct {
	Message
	by map[[2]string]bool // who reacted with what
}

func (f fold) apply(e Event) {
	if e.Op == "message.created" {
		f[e.MessageID] = &folded{
			Message: Message{ID: e.MessageID, SenderID: e.ActorID, Body: e.Body, Seq: e.Seq, TS: e.TS, Version: e.Version, Deleted: e.Body == ""},
			by:      map[[2]string]bool{},
		}
		return
	}
	m := f[e.MessageID]
	if m == nil {
		return
	}
	switch e.Op {
	case "message.edited":
		if e.Version >= m.Version {
			m.Body, m.Version, m.Deleted = e.Body, e.Version, e.Body == ""
		}
	case "message.deleted":
		if e.Version >= m.Version {
			m.Body, m.Version, m.Deleted = "", e.Version, true
		}
	case "reaction.added":
		m.by[[2]string{e.UserID, e.Emoji}] = true
	case "reaction.removed":
		delete(m.by, [2]string{e.UserID, e.Emoji})
	}
}

func (f fold) compare(c Chat, r *report) {
	for _, shown := range c.History {
		m := f[shown.ID]
		if m == nil {
			r.add("the history of %s shows %s, which no event created", c.ID, shown.ID)
			continue
		}
		delete(f, shown.ID)
		m.Reactions = map[string]int{}
		for by := range maps.Keys(m.by) {
			m.Reactions[by[1]]++
		}
		if !reflect.DeepEqual(m.Message, shown) {
			r.add("the events of %s fold to %+v, its history shows %+v", c.ID, m.Message, shown)
		}
	}
	for id, m := range f {
		r.add("message %s at %d of %s is not in the history", id, m.Seq, c.ID)
	}
}
