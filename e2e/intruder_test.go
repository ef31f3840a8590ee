package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
	"fechatter/hub"
)

// intruder is on the bus, with its password but without the database's key: it hears
// everything, and answers each message with forgeries and repetitions of its own.
type intruder struct {
	conn *nats.Conn

	mu    sync.Mutex
	other *nats.Msg // heard before, on another subject
	said  int
	error error
}

// intrude connects to NATS by the way of a node.
func (s *scenario) intrude() *intruder {
	s.t.Helper()
	conn, err := nats.Connect("nats://"+s.Nodes[0].Buses[0].Addr(), nats.NoEcho(), nats.UserInfo(cluster.NatsUser, cluster.NatsPassword))
	s.must(err)
	s.t.Cleanup(conn.Close)
	i := &intruder{conn: conn}
	_, err = conn.Subscribe("fechatter.>", i.hear)
	s.must(err)
	s.must(conn.Flush())
	return i
}

func (i *intruder) hear(m *nats.Msg) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.say(m.Subject, m.Data, m.Header) // again
	if len(m.Data) > 0 {
		spoiled := bytes.Clone(m.Data)
		spoiled[i.said%len(spoiled)] ^= 1
		i.say(m.Subject, spoiled, m.Header)
	}
	if i.other != nil && i.other.Subject != m.Subject {
		i.say(m.Subject, i.other.Data, i.other.Header)
		i.say(i.other.Subject, m.Data, m.Header)
	}
	i.other = m
	i.say("fechatter.announce", []byte(`["0198f0c0-0000-7000-8000-000000000001"]`), nil)
	i.say("fechatter.ask.intruder.1", []byte(`s{"Terms":["v1"]}`), nil)
	i.say(strings.Replace(m.Subject, ".ask.", ".answer.", 1), []byte(`{"Hits":{"Total":1}}`), nil)
	if stream, ok := strings.CutPrefix(m.Subject, "fechatter.chat."); ok {
		i.forge(stream, m)
	}
}

// forge takes the place of the event after the one heard, with every consequence that an event can
// have, plain and behind the head and tag of the true one.
func (i *intruder) forge(stream string, m *nats.Msg) {
	const sealSize, seqAt, encrypted = 49, 2, 3
	seal, event := []byte(nil), m.Data
	if text := m.Header.Get("Fechatter-Seal"); text != "" {
		seal, _ = base64.StdEncoding.DecodeString(text)
	} else if len(m.Data) > sealSize {
		seal, event = m.Data[:sealSize], m.Data[sealSize:]
	}
	next := int64(1 + i.said%200) // a guess, where it cannot read the true one
	if len(event) > seqAt+8 && m.Data[0] != encrypted {
		next = 1 + int64(binary.BigEndian.Uint64(event[seqAt:]))
	}
	for _, e := range []hub.Event{
		{Op: "message.created", Kind: hub.Content, Target: next, Seq: next, Data: fmt.Appendf(nil,
			`{"op":"message.created","chat_id":%q,"seq":%d,"ts":"2026-01-01T00:00:00.000Z","actor_id":"x","d":{"body":"forged"}}`, stream, next)},
		{Op: "op", Seq: next + 1, Data: []byte("\xff no JSON \x00")},
		{Op: "member.removed", Kind: hub.Removed, Seq: next, Subject: "0198f0c0-0000-7000-8000-000000000001", Data: []byte(`{}`)},
		{Op: "session.revoked", Seq: next, Data: []byte(`{"op":"session.revoked","d":{"session_id":"x"}}`)},
		{Op: "cursor", Kind: hub.Passing, Seq: 1, Subject: "0198f0c0-0000-7000-8000-000000000001", Data: []byte("no cursor")},
		{Op: "op", Seq: 1 << 60, Data: []byte(`{}`)},
	} {
		e.Stream = stream
		data, err := e.AppendBinary(nil)
		if err != nil {
			i.error = err
			return
		}
		i.say(m.Subject, data, nil)
		i.say(m.Subject, append(bytes.Clone(seal), data...), nil)
		i.say(m.Subject, data, nats.Header{"Fechatter-Seal": {base64.StdEncoding.EncodeToString(seal)}})
	}
}

func (i *intruder) say(subject string, data []byte, header nats.Header) {
	err := i.conn.PublishMsg(&nats.Msg{Subject: subject, Data: data, Header: header})
	if i.said++; err != nil {
		i.error = err
	}
}

// TestIntruderOnTheBus has somebody on the bus speak for the nodes, in every way: three nodes on
// which people work show nobody anything but what was committed, and reset nobody.
func TestIntruderOnTheBus(t *testing.T) {
	if !all() {
		t.Parallel()
	}
	for _, c := range []struct {
		name  string
		short bool
		env   []string
	}{
		{"signed", true, nil},
		{"encrypted", false, []string{"FECHATTER_BUS_ENCRYPTION=on"}},
		{"beside nodes that sign nothing", false, []string{"FECHATTER_BUS_UNSIGNED=accept"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !c.short {
				heavy(t)
			}
			s := begin(t, cluster.Config{Env: c.env})
			i := s.intrude()
			s.people(load.Config{Devices: 2})
			s.sends(300)
			s.judge()
			i.mu.Lock()
			defer i.mu.Unlock()
			t.Logf("%d forgeries", i.said)
			if i.error != nil || i.said < 3000 {
				t.Errorf("%d forgeries: %v", i.said, i.error)
			}
			for _, n := range s.Nodes {
				log := n.Log()
				if !strings.Contains(log, "event=bus.refused") || strings.Contains(log, "event false on") {
					t.Errorf("%s did not tell of forgeries, or delivered one:\n%s", n.Name, log)
				}
			}
		})
	}
}

// TestBusKeyRotation changes the key of the bus under load: nobody notices.
func TestBusKeyRotation(t *testing.T) {
	heavy(t)
	s := begin(t, cluster.Config{})
	s.people(load.Config{Devices: 2})
	s.sends(50)
	s.must(s.Command(s.ctx, "admin", "rotate-bus-key"))
	s.lasts(100 * time.Second) // 30 until it signs, 60 more until the old one ends
	s.must(s.Command(s.ctx, "admin", "rotate-bus-key"))
	s.lasts(45 * time.Second)
	s.sends(50)
	s.judge()
	for _, n := range s.Nodes {
		if log := n.Log(); strings.Contains(log, "event=bus.refused") {
			t.Errorf("%s rejected messages of other nodes:\n%s", n.Name, log)
		}
	}
}

// TestSecretsAreNotShown looks for passwords in all that a node says, while what they are
// for fails.
func TestSecretsAreNotShown(t *testing.T) {
	if !all() {
		t.Parallel()
	}
	s := begin(t, cluster.Config{Nodes: 1, Env: []string{"FECHATTER_LOG_LEVEL=debug", "FECHATTER_PRESENCE=redis://:" + cluster.NatsPassword + "@127.0.0.1:1"}})
	n := s.Nodes[0]
	s.must(s.Nats[0].Kill())
	s.eventually("telling of both", func() bool { return strings.Count(n.Log(), "health: a part is failing") >= 2 })
	for _, path := range []string{"/health", "/health/simple", "/readyz?verbose", "/livez"} {
		res, err := http.Get(n.Direct() + path)
		s.must(err)
		body, err := io.ReadAll(res.Body)
		s.must(errors.Join(err, res.Body.Close()))
		if bytes.Contains(body, []byte(cluster.NatsPassword)) {
			t.Errorf("%s shows a password: %s", path, body)
		}
	}
	if strings.Contains(n.Log(), cluster.NatsPassword) {
		t.Errorf("the log shows a password:\n%s", n.Log())
	}
}

// oldProgram is the variable that names a program of the release before.
const oldProgram = "FECHATTER_OLD_PROGRAM"

// TestRollingUpgrade replaces nodes of the release before one after the other under load.
func TestRollingUpgrade(t *testing.T) {
	old := os.Getenv(oldProgram)
	if old == "" {
		t.Skip("needs a program of the release before: " + oldProgram)
	}
	s := begin(t, cluster.Config{First: old})
	s.people(load.Config{Devices: 2})
	s.sends(50)
	for _, n := range s.Nodes {
		if err := n.Stop(); err != nil {
			t.Errorf("%s ended with %v", n.Name, err)
		}
		n.Use(program)
		s.must(n.Start(s.ctx))
		s.sends(100)
	}
	s.judge()
}
