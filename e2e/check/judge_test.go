package check

import (
	"slices"
	"testing"
	"time"
)

const (
	ada = "ada"
	bob = "bob"
	id  = "chat"
)

// good is a run that kept every promise: bob is removed and added again, one
// message is edited and another deleted.
func good() *Run {
	c := Chat{ID: id, LastSeq: 12, Members: []string{ada, bob}}
	log := []Event{
		{Op: "chat.created", ActorID: ada},
		{Op: "member.added", ActorID: ada, UserID: ada},
		{Op: "member.added", ActorID: ada, UserID: bob},
		{Op: "message.created", ActorID: ada, MessageID: "m1", MessageSeq: 4, Key: "k1", Body: Body("k1", 1), Version: 1},
		{Op: "message.created", ActorID: bob, MessageID: "m2", MessageSeq: 5, Key: "k2", Body: Body("k2", 1), Version: 1},
		{Op: "message.edited", ActorID: ada, MessageID: "m1", MessageSeq: 4, Body: Body("k1", 2), Version: 2},
		{Op: "reaction.added", ActorID: bob, MessageID: "m1", MessageSeq: 4, UserID: bob, Emoji: "!"},
		{Op: "member.removed", ActorID: ada, UserID: bob},
		{Op: "message.created", ActorID: ada, MessageID: "m3", MessageSeq: 9, Key: "k3", Body: Body("k3", 1), Version: 1},
		{Op: "member.added", ActorID: ada, UserID: bob},
		{Op: "message.deleted", ActorID: bob, MessageID: "m2", MessageSeq: 5, Version: 2},
		{Op: "message.created", ActorID: bob, MessageID: "m4", MessageSeq: 12, Key: "k4", Body: Body("k4", 1), Version: 1},
	}
	for i := range log {
		log[i].ChatID, log[i].Seq, log[i].TS = id, int64(i+1), int64(100+i/2)
		bare := log[i]
		bare.Key, bare.Body, bare.Version = "", "", 0
		c.Events = append(c.Events, bare)
	}
	c.Log = log
	c.Messages = []Message{
		{ID: "m1", SenderID: ada, Key: "k1", Body: Body("k1", 2), Seq: 4, TS: 101, Version: 2},
		{ID: "m2", SenderID: bob, Key: "k2", Seq: 5, TS: 102, Version: 2, Deleted: true},
		{ID: "m3", SenderID: ada, Key: "k3", Body: Body("k3", 1), Seq: 9, TS: 104, Version: 1},
		{ID: "m4", SenderID: bob, Key: "k4", Body: Body("k4", 1), Seq: 12, TS: 105, Version: 1},
	}
	c.Standing = map[string]Standing{ada: {12, 9, 12, 1}, bob: {12, 12, 12, 0}}
	run := &Run{Cursors: []Cursor{{id, ada, 6}, {id, ada, 9}}}
	for _, m := range c.Messages {
		run.Sends = append(run.Sends, Send{ChatID: id, SenderID: m.SenderID, Key: m.Key, Begun: time.Duration(m.Seq) * time.Second,
			Acked: time.Duration(m.Seq)*time.Second + time.Millisecond, MessageID: m.ID, Seq: m.Seq, TS: m.TS})
		m.Key, m.Reactions = "", map[string]int{}
		c.History = append(c.History, m)
	}
	c.History[0].Reactions["!"] = 1
	run.Chats = []Chat{c}
	run.Connections = connections(log)
	return run
}

// connections: ada resumes at 3; bob is fresh, leaves and joins.
func connections(log []Event) []Connection {
	frames := func(from, to int) (list []Frame) {
		for i := range log[from:to] {
			e := log[from+i]
			list = append(list, Frame{Op: e.Op, ChatID: e.ChatID, Seq: e.Seq, Event: &e})
		}
		return list
	}
	entry := func(last, added int64) []Entry { return []Entry{{ID: id, LastSeq: last, AddedSeq: added}} }
	return []Connection{
		{Name: "ada 1", UserID: ada, Cursors: map[string]int64{id: 3}, Final: true, Frames: slices.Concat(
			[]Frame{{Op: "hello"}, {Op: "chats", Entries: entry(5, 2)}}, frames(3, 5), []Frame{{Op: "ready"}}, frames(5, 12))},
		{Name: "bob 1", UserID: bob, Final: true, Frames: slices.Concat(
			[]Frame{{Op: "hello"}, {Op: "chats", Entries: entry(4, 3)}, {Op: "ready"}}, frames(4, 8),
			[]Frame{{Op: "chat.left", ChatID: id, Seq: 8}, {Op: "chat.joined", ChatID: id, Seq: 10, Entries: entry(10, 10)}}, frames(10, 12))},
	}
}

func TestGoodRun(t *testing.T) {
	if found := Judge(good()); len(found) > 0 {
		t.Errorf("found%s", Story(found))
	}
}

// notices spoils a good run and expects a check to notice.
func notices(t *testing.T, check string, breaks map[string]func(*Run)) {
	t.Helper()
	for name, spoil := range breaks {
		run := good()
		spoil(run)
		found := Judge(run)
		if !slices.ContainsFunc(found, func(v Violation) bool { return v.Check == check }) {
			t.Errorf("%s: check %s did not notice; found%s", name, check, Story(found))
		}
	}
}

func TestAcks(t *testing.T) {
	notices(t, "acks", map[string]func(*Run){
		"lost":       func(r *Run) { r.Chats[0].Messages = r.Chats[0].Messages[:3] },
		"moved":      func(r *Run) { r.Sends[0].Seq = 5 },
		"other id":   func(r *Run) { r.Sends[0].MessageID = "m9" },
		"other time": func(r *Run) { r.Sends[0].TS++ },
		"unsent":     func(r *Run) { r.Sends = r.Sends[1:] },
	})
}

func TestKeys(t *testing.T) {
	notices(t, "keys", map[string]func(*Run){
		"twice": func(r *Run) { r.Chats[0].Messages[2].Key = "k1" },
		"two creations": func(r *Run) {
			r.Chats[0].Events[8].MessageID = "m1"
		},
		"no creation": func(r *Run) { r.Chats[0].Events[8].Op = "chat.updated" },
		"no message":  func(r *Run) { r.Chats[0].Messages = r.Chats[0].Messages[1:] },
	})
}

func TestSeqs(t *testing.T) {
	notices(t, "seqs", map[string]func(*Run){
		"hole":   func(r *Run) { r.Chats[0].Events = slices.Delete(r.Chats[0].Events, 5, 6) },
		"twice":  func(r *Run) { r.Chats[0].Events[5].Seq = 5 },
		"behind": func(r *Run) { r.Chats[0].LastSeq++ },
	})
}

func TestTimes(t *testing.T) {
	notices(t, "times", map[string]func(*Run){"backwards": func(r *Run) { r.Chats[0].Events[7].TS = 1 }})
}

func TestOrder(t *testing.T) {
	notices(t, "order", map[string]func(*Run){
		"overtaken": func(r *Run) { r.Sends[0].Begun, r.Sends[0].Acked = 20*time.Second, 21*time.Second },
		"far apart": func(r *Run) { r.Sends[3].Begun, r.Sends[3].Acked = 1, 2 },
	})
}

func TestStreams(t *testing.T) {
	notices(t, "streams", map[string]func(*Run){
		"hole":      func(r *Run) { r.Connections[0].Frames = slices.Delete(r.Connections[0].Frames, 6, 7) },
		"twice":     func(r *Run) { r.Connections[0].Frames[6] = r.Connections[0].Frames[5] },
		"not named": func(r *Run) { r.Connections[1].Frames[1].Entries = nil },
		"skipped":   func(r *Run) { r.Connections[0].Cursors[id] = 2 },
		"not ready": func(r *Run) { r.Connections[0].Frames[1].Entries[0].LastSeq = 6 },
		"after it left": func(r *Run) {
			r.Connections[1].Frames = slices.Delete(r.Connections[1].Frames, 8, 9)
		},
	})
}

func TestContent(t *testing.T) {
	event := func(r *Run) *Event { return r.Connections[0].Frames[2].Event }
	notices(t, "content", map[string]func(*Run){
		"other op":       func(r *Run) { event(r).Op = "message.edited" },
		"other time":     func(r *Run) { event(r).TS++ },
		"other text":     func(r *Run) { event(r).Body = Body("k2", 1) },
		"other version":  func(r *Run) { event(r).Version = 2 },
		"future version": func(r *Run) { event(r).Version, event(r).Body = 3, Body("k1", 3) },
		"other key":      func(r *Run) { event(r).Key = "k2" },
		"other log":      func(r *Run) { r.Chats[0].Log[6].Emoji = "?" },
		"other chat":     func(r *Run) { r.Chats[0].ID = "another" },
	})
}

func TestResets(t *testing.T) {
	reset := func(seq int64, reason string) func(*Run) {
		return func(r *Run) {
			c := &r.Connections[0]
			c.Frames = slices.Insert(c.Frames, 5, Frame{Op: "reset", ChatID: id, Seq: seq, Reason: reason})
		}
	}
	notices(t, "resets", map[string]func(*Run){
		"near": reset(5, "too_far"), "no other history": reset(600, "epoch"), "back": reset(4, "too_far"), "no new member": reset(600, "rejoined"),
	})
	for name, spoil := range map[string]func(*Run){
		"distance": reset(506, "too_far"),
		"joined after the token": func(r *Run) {
			c := &r.Connections[0]
			c.Token, c.Frames = true, slices.Insert(c.Frames, 2, Frame{Op: "reset", ChatID: id, Seq: 5, Reason: "rejoined"})
		},
	} {
		run := good()
		spoil(run)
		for _, v := range Judge(run) {
			if v.Check == "resets" {
				t.Errorf("%s is a reason, but: %s", name, v.Evidence)
			}
		}
	}
}

func TestRemoved(t *testing.T) {
	notices(t, "removed", map[string]func(*Run){
		"after the removal": func(r *Run) {
			r.Connections[1].Frames = slices.Insert(r.Connections[1].Frames, 7, r.Connections[0].Frames[8])
		},
		"never added again": func(r *Run) { r.Chats[0].Events[9].Op = "chat.updated" },
	})
}

func TestComplete(t *testing.T) {
	notices(t, "complete", map[string]func(*Run){
		"behind": func(r *Run) { c := &r.Connections[0]; c.Frames = c.Frames[:len(c.Frames)-1] },
		"not named": func(r *Run) {
			r.Connections[0].Frames = nil
		},
		"still there": func(r *Run) { r.Chats[0].Members = []string{ada} },
	})
}

func TestFold(t *testing.T) {
	notices(t, "fold", map[string]func(*Run){
		"old text":      func(r *Run) { r.Chats[0].History[0].Body = Body("k1", 1) },
		"not deleted":   func(r *Run) { r.Chats[0].History[1].Deleted = false },
		"no reaction":   func(r *Run) { r.Chats[0].History[0].Reactions = map[string]int{} },
		"not shown":     func(r *Run) { r.Chats[0].History = r.Chats[0].History[1:] },
		"from nowhere":  func(r *Run) { r.Chats[0].History[3].ID = "m9" },
		"seen unlike":   func(r *Run) { r.Connections[0].Frames[5].Event.Body = "x" },
		"other version": func(r *Run) { r.Chats[0].History[0].Version = 1 },
	})
}

func TestCursors(t *testing.T) {
	stand := func(s Standing) func(*Run) { return func(r *Run) { r.Chats[0].Standing[ada] = s } }
	notices(t, "cursors", map[string]func(*Run){
		"back": stand(Standing{12, 8, 12, 1}), "count": stand(Standing{12, 9, 12, 2}), "last": stand(Standing{11, 9, 11, 1}),
		"delivered": stand(Standing{12, 9, 8, 1}), "beyond": stand(Standing{12, 9, 13, 1}),
	})
}

// looks returns four looks a second with one outcome, from one second to another.
func looks(kind LookKind, ok bool, from, to int) (list []Look) {
	for at := time.Duration(from) * time.Second; at < time.Duration(to)*time.Second; at += 250 * time.Millisecond {
		list = append(list, Look{Kind: kind, Begun: at, End: at + 10*time.Millisecond, OK: ok})
	}
	return list
}

func TestReady(t *testing.T) {
	probe := func(parts ...[]Look) func(*Run) {
		return func(r *Run) { r.Probes = []Probe{{Node: "n", Looks: slices.Concat(parts...)}} }
	}
	notices(t, "ready", map[string]func(*Run){
		"ready and fails": probe(looks(LookReady, true, 0, 30), looks(LookSend, true, 0, 5), looks(LookSend, false, 5, 14), looks(LookSend, true, 14, 30)),
		"unready and works": probe(looks(LookReady, true, 0, 5), looks(LookReady, false, 5, 14), looks(LookReady, true, 14, 30),
			looks(LookSend, true, 0, 30)),
		"never ready": probe(looks(LookReady, false, 0, 9), looks(LookSend, true, 0, 9)),
	})
	draining := looks(LookReady, false, 5, 20)
	for i := range draining {
		draining[i].Draining = true
	}
	for name, spoil := range map[string]func(*Run){
		"in step":       probe(looks(LookReady, true, 0, 7), looks(LookReady, false, 7, 20), looks(LookSend, true, 0, 5), looks(LookSend, false, 5, 16), looks(LookSend, true, 16, 20)),
		"a short fault": probe(looks(LookReady, true, 0, 20), looks(LookSend, true, 0, 5), looks(LookSend, false, 5, 12), looks(LookSend, true, 12, 20)),
		"draining":      probe(looks(LookReady, true, 0, 5), draining, looks(LookSend, true, 0, 20)),
	} {
		run := good()
		spoil(run)
		for _, v := range Judge(run) {
			if v.Check == "ready" {
				t.Errorf("%s: %s", name, v.Evidence)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	notices(t, "faults", map[string]func(*Run){"internal": func(r *Run) { r.Faults = []string{"ada: internal"} }})
}

func TestIndex(t *testing.T) {
	notices(t, "index", map[string]func(*Run){
		"lost":    func(r *Run) { r.Searches = []Search{{id, "q", []string{"m1"}, []string{"m1", "m2"}}} },
		"deleted": func(r *Run) { r.Searches = []Search{{id, "q", []string{"m1", "m3"}, []string{"m1"}}} },
		"doubled": func(r *Run) { r.Searches = []Search{{id, "q", []string{"m1", "m1"}, []string{"m1"}}} },
	})
}
