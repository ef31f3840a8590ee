package bus

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"fechatter/security"
)

// intruder reaches the server and hears everything, but has no key.
type intruder struct {
	t    *testing.T
	conn *nats.Conn

	mu    sync.Mutex
	heard []*nats.Msg
}

func intrude(t *testing.T, url string) *intruder {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	i := &intruder{t: t, conn: conn}
	_, err = conn.Subscribe(allSubjects, func(m *nats.Msg) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.heard = append(i.heard, m)
	})
	if err != nil {
		t.Fatal(err)
	}
	i.flush()
	return i
}

func (i *intruder) flush() {
	i.t.Helper()
	if err := i.conn.Flush(); err != nil {
		i.t.Fatal(err)
	}
}

// all returns what was heard on subjects that begin with a prefix.
func (i *intruder) all(prefix string) (heard []*nats.Msg) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, m := range i.heard {
		if strings.HasPrefix(m.Subject, prefix) {
			heard = append(heard, m)
		}
	}
	return heard
}

// catch waits for the first message on a subject that begins with prefix.
func (i *intruder) catch(prefix string) *nats.Msg {
	i.t.Helper()
	eventually(i.t, "caught on "+prefix, func() bool { return len(i.all(prefix)) > 0 })
	return i.all(prefix)[0]
}

func (i *intruder) say(m *nats.Msg) {
	i.t.Helper()
	if err := i.conn.PublishMsg(m); err != nil {
		i.t.Fatal(err)
	}
	i.flush()
}

// rejected counts what b has rejected of a kind for a reason.
func rejected(b *Bus, kind, reason string) uint64 {
	for _, r := range b.Stats().Rejected {
		if r.Kind == kind && r.Reason == reason {
			return r.Count
		}
	}
	return 0
}

// town is two nodes with one key and an intruder.
type town struct {
	t        *testing.T
	url      string
	ann, bob *Bus
	annsNode *recorder
	bobsNode *recorder
	intruder *intruder
	stream   string
	other    string
}

func newTown(t *testing.T, cfg Config) *town {
	t.Helper()
	c := &town{t: t, url: startInside(t, &server.Options{}).ClientURL(), annsNode: &recorder{}, bobsNode: &recorder{},
		stream: uuid.NewString(), other: uuid.NewString()}
	c.intruder = intrude(t, c.url)
	cfg.URL = c.url
	c.ann, c.bob = live(t, cfg, c.annsNode), live(t, cfg, c.bobsNode)
	for _, b := range []*Bus{c.ann, c.bob} {
		if err := b.Subscribe(c.stream, c.other); err != nil {
			t.Fatal(err)
		}
		flush(t, b)
	}
	return c
}

// captures has one message of each kind said, and returns what the intruder heard of it. Bob has
// received each.
func (c *town) captures() map[kind]*nats.Msg {
	c.t.Helper()
	c.ann.Publish(c.stream, []byte(`{"seq":1}`), "")
	c.ann.Announce([]byte("people"))
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if _, err := c.bob.Ask(ctx, []byte("question")); err != nil {
		c.t.Fatal(err)
	}
	echoed(c.t, c.bob)
	caught := map[kind]*nats.Msg{
		kindEvent: c.intruder.catch(chatSubjects), kindAnnouncement: c.intruder.catch(announceSubject),
		kindQuestion: c.intruder.catch(askSubject), kindAnswer: c.intruder.catch(answerSubject),
		kindEcho: c.intruder.catch(c.bob.echo.subject),
	}
	eventually(c.t, "received", func() bool { return c.bobsNode.received() == 1 && c.bobsNode.announced() == "people" })
	return caught
}

// victim is the node at which a kind arrives, and what it had before.
func (c *town) victim(k kind) *Bus {
	if k == kindQuestion {
		return c.ann
	}
	return c.bob
}

func forms() map[string]Config {
	readable := testRing(1)
	readable.Unsigned = true
	return map[string]Config{
		"signed": {}, "encrypted": {Encrypt: true}, "readable by the release before": {Keyring: readable},
	}
}

// Whatever an intruder makes of what it hears, of every kind: nobody believes it, and each is
// counted.
func TestForgeriesAreNotBelieved(t *testing.T) {
	for name, cfg := range forms() {
		t.Run(name, func(t *testing.T) {
			c := newTown(t, cfg)
			caught := c.captures()
			for k, m := range caught {
				for reason, forgeries := range forge(m, caught) {
					for _, f := range forgeries {
						k := k
						if f.Subject != m.Subject {
							k, _ = kindOf(f.Subject)
						}
						if k == kindEcho && c.bob.echo.subject != f.Subject {
							continue
						}
						before := rejected(c.victim(k), kindNames()[k], reason)
						c.intruder.say(f)
						if k == kindEcho {
							echoed(t, c.bob)
						}
						eventually(t, kindNames()[k]+" rejected: "+reason, func() bool {
							return rejected(c.victim(k), kindNames()[k], reason) == before+1
						})
					}
				}
			}
			if c.bobsNode.received() != 1 || c.bobsNode.announced() != "people" || len(c.bobsNode.hints) > 0 {
				t.Errorf("bob believed %q, %q, %q", c.bobsNode.data, c.bobsNode.news, c.bobsNode.hints)
			}
			if got := c.annsNode.questions(); got != 1 {
				t.Errorf("ann answered %d questions, want 1", got)
			}
		})
	}
}

// forge returns what an intruder makes of a message, by the reason for which it is rejected.
func forge(m *nats.Msg, caught map[kind]*nats.Msg) map[string][]*nats.Msg {
	made := map[string][]*nats.Msg{}
	for i := range len(m.Data) {
		made[spoiledReason(m, i)] = append(made[spoiledReason(m, i)], spoil(m, i))
	}
	k, _ := kindOf(m.Subject)
	for other, elsewhere := range caught { // moved to where it does not belong
		if other != k {
			made["forged"] = append(made["forged"], &nats.Msg{Subject: elsewhere.Subject, Data: m.Data, Header: m.Header})
		}
	}
	if k == kindQuestion || k == kindAnswer {
		made["unsigned"] = append(made["unsigned"], &nats.Msg{Subject: m.Subject, Data: []byte("squestion")})
	}
	traced := &nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{}}
	maps.Copy(traced.Header, m.Header)
	traced.Header.Set(traceHeader, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	made["forged"] = append(made["forged"], traced)
	if m.Header.Get(sealHeader) == "" {
		made["malformed"] = append(made["malformed"], &nats.Msg{Subject: m.Subject, Data: m.Data[:sealSize-1]})
	} else {
		made["malformed"] = append(made["malformed"],
			&nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{sealHeader: {"AAAA"}}},
			&nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{sealHeader: {strings.Repeat("A", 1000)}}},
			&nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{sealHeader: {"no base64"}}})
	}
	return made
}

// spoil flips a bit.
func spoil(m *nats.Msg, at int) *nats.Msg {
	data := bytes.Clone(m.Data)
	data[at] ^= 0x80
	return &nats.Msg{Subject: m.Subject, Data: data, Header: m.Header}
}

// spoiledReason is what a flipped bit looks like: a form that does not exist, a key that does not
// exist, or a wrong tag.
func spoiledReason(m *nats.Msg, at int) string {
	switch {
	case m.Header.Get(sealHeader) != "":
		return "forged"
	case at == 0:
		return "unsigned"
	case at < 5:
		return "unknown_key"
	}
	return "forged"
}

// What stands beside the body cannot be exchanged for something of the same length.
func TestSubjectAndTraceAreSigned(t *testing.T) {
	const trace, other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	for name, cfg := range forms() {
		t.Run(name, func(t *testing.T) {
			c := newTown(t, cfg)
			c.ann.Publish(c.stream, []byte(`{"seq":1}`), trace)
			m := c.intruder.catch(chatSubjects)
			traced := nats.Header{}
			maps.Copy(traced, m.Header)
			traced[traceHeader] = []string{other}
			c.intruder.say(&nats.Msg{Subject: subject(c.other), Data: m.Data, Header: m.Header})
			c.intruder.say(&nats.Msg{Subject: m.Subject, Data: m.Data, Header: traced})
			eventually(t, "rejected", func() bool { return rejected(c.bob, "event", "forged") == 2 })
			if got := c.bobsNode.received(); got != 1 {
				t.Errorf("bob received %d", got)
			}
		})
	}
}

// What was said once and is said again, of every kind, has no effect.
func TestReplaysHaveNoEffect(t *testing.T) {
	for name, cfg := range forms() {
		t.Run(name, func(t *testing.T) {
			c := newTown(t, cfg)
			caught := c.captures()
			for k, m := range caught {
				c.intruder.say(&nats.Msg{Subject: m.Subject, Data: m.Data, Header: m.Header})
				if k == kindEcho {
					echoed(t, c.bob)
				}
				eventually(t, kindNames()[k]+" rejected", func() bool {
					return rejected(c.victim(k), kindNames()[k], "replayed") == 1
				})
			}
			eventually(t, "rejected by those who said it", func() bool {
				return rejected(c.ann, "event", "replayed") == 1 && rejected(c.ann, "announcement", "replayed") == 1 && rejected(c.bob, "question", "replayed") == 1
			})
			if c.bobsNode.received() != 1 || c.bobsNode.announced() != "people" || c.annsNode.questions() != 1 {
				t.Errorf("a replay had an effect: %q, %q, %d questions", c.bobsNode.data, c.bobsNode.news, c.annsNode.questions())
			}
			if c.annsNode.received() != 0 || c.annsNode.announced() != "" || c.bobsNode.questions() != 0 {
				t.Errorf("somebody heard themselves: %q, %q, %d questions", c.annsNode.data, c.annsNode.news, c.bobsNode.questions())
			}
		})
	}
}

// An intruder answers where no node does, and the asker does not accept it.
func TestForgedAnswerIsNotAccepted(t *testing.T) {
	c := newTown(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := c.bob.Ask(ctx, []byte("silence"))
		ended <- err
	}()
	asked := c.intruder.catch(askSubject)
	c.intruder.say(&nats.Msg{Subject: answerSubject + strings.TrimPrefix(asked.Subject, askSubject), Data: []byte(`{"Hits":{}}`)})
	eventually(t, "rejected", func() bool { return rejected(c.bob, "answer", "unsigned") == 1 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Ask returned %v", err)
	}
}

// Nothing that is said can be read by an intruder when it is encrypted, and a node that does not
// encrypt reads it.
func TestEncryptionHidesBodies(t *testing.T) {
	c := newTown(t, Config{Encrypt: true})
	c.ann.Publish(c.stream, []byte("secret event"), "")
	c.ann.Announce([]byte("secret news"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if answer, err := c.bob.Ask(ctx, []byte("secret question")); string(answer) != "SECRET QUESTION" || err != nil {
		t.Errorf("answered %q, %v", answer, err)
	}
	plain := &recorder{}
	third := live(t, Config{URL: c.url}, plain)
	if err := third.Subscribe(c.stream); err != nil {
		t.Fatal(err)
	}
	flush(t, third)
	c.ann.Publish(c.stream, []byte("secret two"), "")
	if answer, err := third.Ask(ctx, []byte("not encrypted")); string(answer) != "NOT ENCRYPTED" || err != nil {
		t.Errorf("answered %q, %v", answer, err)
	}
	eventually(t, "received", func() bool { return plain.received() == 1 && string(plain.data[0]) == "secret two" })
	c.intruder.flush()
	for _, m := range c.intruder.all("") {
		if bytes.Contains(bytes.ToLower(m.Data), []byte("secret")) {
			t.Errorf("readable on %s: %q", m.Subject, m.Data)
		}
	}
}

// No two messages are encrypted with the same nonce under one key, across nodes and restarts.
func TestNoncesDiffer(t *testing.T) {
	ring, err := testRing(1).derive()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 50 {
		s := newSealer(true)
		if err := s.use(ring); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			frame := s.seal("s", "", []byte("the same"))
			for _, part := range [][]byte{frame[5:headSize], frame[headSize : len(frame)-tagSize]} {
				if seen[string(part)] {
					t.Fatal("a sender's nonce, or a ciphertext, comes twice")
				}
				seen[string(part)] = true
			}
		}
	}
}

// A node of the release before is on the bus, unsigned and unable to read signatures.
func TestNodesThatDoNotSign(t *testing.T) {
	open := testRing(1)
	open.Unsigned = true
	c := newTown(t, Config{Keyring: open})
	old := c.intruder
	old.say(&nats.Msg{Subject: subject(c.stream), Data: []byte{1, 'e', 'v'}})
	old.say(&nats.Msg{Subject: announceSubject, Data: []byte("theirs")})
	old.say(&nats.Msg{Subject: askSubject + "them.1", Data: []byte("question")})
	eventually(t, "hints", func() bool {
		return c.bobsNode.announced() == "theirs" && rejected(c.bob, "question", "unsigned") == 1
	})
	if c.bobsNode.received() > 0 || c.bobsNode.questions() > 0 || !slices.Equal(c.bobsNode.hints, []string{c.stream}) {
		t.Errorf("bob believed %q, %d questions, hints %q", c.bobsNode.data, c.bobsNode.questions(), c.bobsNode.hints)
	}
	if got := c.bob.Stats().Unsigned; got != 2 {
		t.Errorf("%d counted as unsigned, want 2", got)
	}
	c.ann.Publish(c.stream, []byte("ours"), "")
	eventually(t, "received", func() bool { return c.bobsNode.received() == 1 })
	eventually(t, "read by the old node", func() bool {
		m := old.all(chatSubjects)
		return string(m[len(m)-1].Data) == "ours"
	})
}

// Without such nodes nothing unsigned counts, not even as a hint.
func TestUnsignedIsRefused(t *testing.T) {
	c := newTown(t, Config{})
	c.intruder.say(&nats.Msg{Subject: subject(c.stream), Data: []byte{1, 'e', 'v'}})
	c.intruder.say(&nats.Msg{Subject: announceSubject, Data: []byte("theirs")})
	eventually(t, "rejected", func() bool {
		return rejected(c.bob, "event", "unsigned") == 1 && rejected(c.bob, "announcement", "unsigned") == 1
	})
	if c.bobsNode.announced() != "" || len(c.bobsNode.hints) > 0 || c.bob.Stats().Unsigned > 0 {
		t.Errorf("bob believed %q, %q", c.bobsNode.news, c.bobsNode.hints)
	}
}

// The log tells of forgeries as security events, a few of many, and holds nothing of them.
func TestForgeriesAreLogged(t *testing.T) {
	var log logged
	c := newTown(t, Config{Security: security.New(log.log(), nil)})
	for range 200 {
		c.intruder.say(&nats.Msg{Subject: subject(c.stream), Data: []byte("poison")})
	}
	eventually(t, "counted", func() bool { return rejected(c.bob, "event", "unsigned") == 200 })
	log.mu.Lock()
	defer log.mu.Unlock()
	lines := strings.Count(log.buf.String(), `security=true event=bus.refused detail="event unsigned on `+subject(c.stream))
	if lines < 1 || lines > 50 || strings.Contains(log.buf.String(), "poison") {
		t.Errorf("%d lines:\n%s", lines, log.buf.String())
	}
}

// FuzzOpen: whatever comes, nothing is believed that was not sealed, and nothing breaks.
func FuzzOpen(f *testing.F) {
	ring, err := testRing(1).derive()
	if err != nil {
		f.Fatal(err)
	}
	for _, encrypt := range []bool{false, true} {
		s := newSealer(encrypt)
		if err := s.use(ring); err != nil {
			f.Fatal(err)
		}
		f.Add(announceSubject, "", "", bytes.Clone(s.seal(announceSubject, "", []byte("body"))))
		f.Add("x", "t", "", bytes.Clone(s.seal("x", "t", nil)))
		f.Add("x", "", base64.StdEncoding.EncodeToString(s.beside("x", "", []byte("body"))), []byte("body"))
	}
	real := newSealer(false)
	if err := real.use(ring); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, subject, trace, seal string, data []byte) {
		m := &nats.Msg{Subject: subject, Data: bytes.Clone(data), Header: nats.Header{}}
		if trace != "" {
			m.Header.Set(traceHeader, trace)
		}
		if seal != "" {
			m.Header.Set(sealHeader, seal)
		}
		strangers := &keyring{sign: ring.sign, believed: map[uint32]*derived{}, now: time.Now(), at: time.Now()}
		if _, _, why := newOpener([senderSize]byte{}).open(strangers, m); why == sound {
			t.Fatal("believed without a key")
		}
		_, _, _ = newOpener([senderSize]byte{}).open(ring, m)
		// What was sealed is believed once, and not when any part of it is another.
		frame := bytes.Clone(real.seal(subject, trace, data))
		good := &nats.Msg{Subject: subject, Data: frame, Header: nats.Header{traceHeader: {trace}}}
		o := newOpener([senderSize]byte{})
		if body, got, why := o.open(ring, good); why != sound || !bytes.Equal(body, data) || got != trace {
			t.Fatalf("what was sealed is not believed: %v", reasonNames()[why])
		}
		if _, _, why := o.open(ring, good); why != replayed {
			t.Fatal("believed twice")
		}
		for _, bad := range []*nats.Msg{
			{Subject: subject + "x", Data: frame, Header: good.Header},
			{Subject: subject, Data: append(bytes.Clone(frame), 'x'), Header: good.Header},
			{Subject: subject, Data: frame, Header: nats.Header{traceHeader: {trace + "x"}}},
		} {
			if _, _, why := newOpener([senderSize]byte{}).open(ring, bad); why == sound {
				t.Fatal("believed although a part of it is another")
			}
		}
	})
}
