package persistence_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// benchSenders send at once, each the next message when the one before is stored.
const benchSenders = 64

type nobody struct{}

func (nobody) Publish([]chat.Event) {}

// BenchmarkSend compares group commit with a transaction for each send, with
// keys that begin with the time, as the page makes them, and with random ones,
// which a client may choose; into eight chats, into many, and into one.
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
					store := start(b, persistence.Config{URL: database.url(b), AcquireTimeout: time.Minute, LockTimeout: time.Minute}, nobody{})
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
				MessageID: id, OpID: id, Fingerprint: []byte("0123456789abcdef0123456789abcdef")})
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
