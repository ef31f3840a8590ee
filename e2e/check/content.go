package check

// checkContent: whatever a connection or the events API brings is what the
// database holds at that seq, with a text that was written for that message.
func checkContent(run *Run, r *report) {
	facts := map[string]*facts{}
	for i := range run.Chats {
		facts[run.Chats[i].ID] = newFacts(&run.Chats[i])
	}
	for i := range run.Chats {
		for _, e := range run.Chats[i].Log {
			facts[run.Chats[i].ID].judge("the events API", e, r)
		}
	}
	seen := map[*Event]bool{} // equal events are one in memory
	for _, c := range run.Connections {
		for _, f := range c.Frames {
			if f.Event == nil || seen[f.Event] {
				continue
			}
			seen[f.Event] = true
			if known := facts[f.ChatID]; known != nil {
				known.judge(c.Name, *f.Event, r)
			} else {
				r.add("%s: event %d of %s, which does not exist", c.Name, f.Seq, f.ChatID)
			}
		}
	}
}

// facts is a chat's events by seq and its messages by id.
type facts struct {
	chat     *Chat
	events   map[int64]Event
	messages map[string]Message
}

func newFacts(c *Chat) *facts {
	f := &facts{chat: c, events: map[int64]Event{}, messages: map[string]Message{}}
	for _, e := range c.Events {
		f.events[e.Seq] = e
	}
	for _, m := range c.Messages {
		f.messages[m.ID] = m
	}
	return f
}

func (f *facts) judge(who string, e Event, r *report) {
	bare := e
	bare.Key, bare.Body, bare.Version = "", "", 0
	if known, ok := f.events[e.Seq]; !ok || known != bare {
		r.add("%s: event %+v of %s, the database has %+v", who, bare, f.chat.ID, known)
		return
	}
	m := f.messages[e.MessageID]
	switch {
	case e.Op == "message.created" && (e.Key != m.Key || e.ActorID != m.SenderID):
		r.add("%s: event %d of %s created key %q by %s, the database has %q by %s", who, e.Seq, f.chat.ID, e.Key, e.ActorID, m.Key, m.SenderID)
	case e.Op != "message.created" && e.Op != "message.edited":
	case m.Deleted && e.Body == "":
	case e.Version < 1 || e.Version > m.Version || !isBody(e.Body, m.Key, e.Version):
		r.add("%s: event %d of %s shows %q as version %d of %s", who, e.Seq, f.chat.ID, e.Body, e.Version, m.Key)
	}
}
