package persistence_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// benchSenders send concurrently, each the next message once the previous one is stored.
const benchSenders = 64

type nobody struct{}

func (nobody) Publish([]chat.Event) {}

// BenchmarkSend compares group commit with a transaction per send: with keys that
// begin with the time, as the page makes them, and random ones, which a client may
// choose; to eight chats, to many, and to one.
func BenchmarkSend(b *testing.B) {
	random := func() string { return uuid.NewString() }
	for _, database := range []struct {
		name string
		url  func(testing.TB) string
	}{{"SQLite", sqliteURL}, {"PostgreSQL", postgresURL}} {
		for _, load := range []struct {
			name  string
			chats int
			key   func() string
		}{{"ordered", 8, persistencetest.NewID}, {"random", 8, random}, {"many", 32, random}, {"hot", 1, random}} {
			for _, how := range []string{"group", "alone"} {
				b.Run(fmt.Sprintf("%s/%s/%s", database.name, load.name, how), func(b *testing.B) {
					store := start(b, persistence.Config{URL: database.url(b)}, nobody{})
					send := store.Send
					if how == "alone" {
						send = store.SendAlone
					}
					benchmarkSend(b, store, send, load.chats, load.key)
				})
			}
		}
	}
}

func benchmarkSend(b *testing.B, store *persistence.Store, send func(context.Context, chat.Send) (chat.Sent, error),
	chats int, key func() string) {
	rooms, people := persistencetest.Populate(b, store, chats, benchSenders/chats)
	body := strings.Repeat("words ", 20)
	var next atomic.Int64
	before := store.Stats()
	b.SetParallelism(benchSenders / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		n := int(next.Add(1))
		room := n % chats
		u := people[room][n/chats%len(people[room])]
		for pb.Next() {
			id := persistencetest.NewID()
			_, err := send(context.Background(), chat.Send{ChatID: rooms[room].ID, SenderID: u.ID, Key: key(), Body: body,
				MessageID: id, OpID: id, Fingerprint: []byte("0123456789abcdef0123456789abcdef"), MaxChats: chats})
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	after := store.Stats()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sends/s")
	b.ReportMetric(float64(after.Sends-before.Sends)/float64(after.Batches-before.Batches), "sends/commit")
}

// BenchmarkNodes sends into few and many chats from one, two and three nodes on one PostgreSQL.
func BenchmarkNodes(b *testing.B) {
	for _, chats := range []int{1, 8, 32} {
		for nodes := 1; nodes <= 3; nodes++ {
			b.Run(fmt.Sprintf("chats=%d/nodes=%d", chats, nodes), func(b *testing.B) {
				databaseURL := postgresURL(b)
				stores := make([]*persistence.Store, nodes)
				for i := range stores {
					stores[i] = start(b, persistence.Config{URL: databaseURL}, nobody{})
				}
				benchmarkNodes(b, stores, chats)
			})
		}
	}
}

func benchmarkNodes(b *testing.B, stores []*persistence.Store, chats int) {
	rooms, people := persistencetest.Populate(b, stores[0], chats, benchSenders/chats)
	body := strings.Repeat("words ", 20)
	var next atomic.Int64
	counts := func() (c struct{ sends, batches, skips, lanes float64 }) {
		for _, store := range stores {
			s := store.Stats()
			c.sends, c.batches, c.skips, c.lanes = c.sends+float64(s.Sends), c.batches+float64(s.Batches), c.skips+float64(s.Skips), c.lanes+float64(s.Lanes)
		}
		return c
	}
	before := counts()
	b.SetParallelism(benchSenders / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		n := int(next.Add(1))
		room, store := n%chats, stores[rand.IntN(len(stores))]
		u := people[room][n/chats%len(people[room])]
		for pb.Next() {
			id := persistencetest.NewID()
			_, err := store.Send(context.Background(), chat.Send{ChatID: rooms[room].ID, SenderID: u.ID, Key: id, Body: body,
				MessageID: id, OpID: id, Fingerprint: []byte("0123456789abcdef0123456789abcdef"), MaxChats: 1})
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	after := counts()
	batches := after.batches - before.batches
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sends/s")
	b.ReportMetric((after.sends-before.sends)/batches, "sends/commit")
	b.ReportMetric((after.skips-before.skips)/batches, "skips/commit")
	b.ReportMetric((after.lanes-before.lanes)/batches, "lanes/commit")
}
