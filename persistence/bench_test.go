package persistence_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

const (
	benchSenders = 64
	benchChats   = 8
)

type nobody struct{}

func (nobody) Publish([]chat.Event) {}

// BenchmarkSend is 64 senders at once, eight in each chat, by group commit.
func BenchmarkSend(b *testing.B) {
	benchmarkSend(b, persistence.Config{URL: sqliteURL(b)})
}

// BenchmarkSendOneByOne is the same with a transaction for each message.
func BenchmarkSendOneByOne(b *testing.B) {
	benchmarkSend(b, persistence.Config{URL: sqliteURL(b), BatchSize: 1})
}

// BenchmarkSendPostgres is the same as BenchmarkSend on PostgreSQL.
func BenchmarkSendPostgres(b *testing.B) {
	benchmarkSend(b, persistence.Config{URL: postgresURL(b)})
}

// BenchmarkSendPostgresOneByOne is the same with a transaction for each message.
func BenchmarkSendPostgresOneByOne(b *testing.B) {
	benchmarkSend(b, persistence.Config{URL: postgresURL(b), BatchSize: 1})
}

func benchmarkSend(b *testing.B, cfg persistence.Config) {
	store := start(b, cfg, nobody{})
	rooms, people := persistencetest.Populate(b, store, benchChats, benchSenders/benchChats)
	body := strings.Repeat("words ", 20)
	var next atomic.Int64
	before := store.Stats()
	b.SetParallelism(benchSenders / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		n := int(next.Add(1))
		room := n % benchChats
		u := people[room][n/benchChats%len(people[room])]
		for pb.Next() {
			id := persistencetest.NewID()
			_, err := store.Send(context.Background(), chat.Send{ChatID: rooms[room].ID, SenderID: u.ID, Key: id, Body: body,
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
