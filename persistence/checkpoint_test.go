package persistence_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// unlike gives a message ids of its own.
func unlike(m chat.Send) chat.Send {
	m.MessageID, m.OpID = persistencetest.NewID(), persistencetest.NewID()
	return m
}

// TestCheckpointHoldsUpNobody: while a checkpoint waits for the disk, sends are stored. The last
// part of a log is moved while nobody writes: should that be what waits here, it is tried again.
func TestCheckpointHoldsUpNobody(t *testing.T) {
	var stalled atomic.Pointer[stall]
	path := diskPath(t)
	d := newDisk(t, path, func(file string) bool {
		if file != "" {
			return false
		}
		if s := stalled.Swap(nil); s != nil {
			close(s.begun)
			<-s.over
		}
		return false
	})
	store := start(t, d.use(persistence.Config{URL: "sqlite:" + path}).WithLog(100), nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	send := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		_, err := store.Send(ctx, unlike(message(rooms[0], people[0][0], persistencetest.NewID())))
		return err
	}
	for range 5 {
		s := &stall{begun: make(chan struct{}), over: make(chan struct{})}
		release := sync.OnceFunc(func() { close(s.over) })
		t.Cleanup(release)
		for range 40 { // more than the log may hold
			if err := send(time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		stalled.Store(s)
		select {
		case <-s.begun:
		case <-time.After(time.Second): // all had been moved before
			stalled.Store(nil)
			release()
			continue
		}
		var err error
		for n := 0; n < 20 && err == nil; n++ {
			err = send(10 * time.Second)
		}
		if release(); err == nil {
			return
		}
	}
	t.Fatal("a checkpoint that waits for the disk holds up sends")
}

// stall keeps a sync from returning.
type stall struct{ begun, over chan struct{} }

// TestLogBeginsAnew: however much is sent without a pause, the log is begun anew again and again,
// or it would grow for ever.
func TestLogBeginsAnew(t *testing.T) {
	path := diskPath(t)
	store := start(t, persistence.Config{URL: "sqlite:" + path}.WithLog(100), nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	var senders sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 8 {
		senders.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_, _ = store.Send(ctx, unlike(message(rooms[0], people[0][0], fmt.Sprint("k", i, "-", n)))) // some end unknown
			}
		})
	}
	generations := map[string]bool{}
	eventually(t, "the log was begun anew three times", func() bool {
		log, err := os.Open(path + "-wal")
		if err != nil {
			return false
		}
		defer log.Close()
		var salt [8]byte // SQLite draws another for each log
		if _, err := log.ReadAt(salt[:], 16); err == nil {
			generations[string(salt[:])] = true
		}
		return len(generations) > 3
	})
	cancel()
	senders.Wait()
}

// BenchmarkCheckpoint sends without a pause while the log is moved, on a disk whose fsync takes its
// time: stall-ms is the longest time in which nothing was stored.
func BenchmarkCheckpoint(b *testing.B) {
	for _, takes := range []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond} {
		b.Run("fsync="+takes.String(), func(b *testing.B) { benchmarkCheckpoint(b, takes) })
	}
}

func benchmarkCheckpoint(b *testing.B, takes time.Duration) {
	path := diskPath(b)
	var moves atomic.Int64
	d := newDisk(b, path, func(file string) bool {
		if file == "" {
			moves.Add(1)
		}
		time.Sleep(takes)
		return false
	})
	store := start(b, d.use(persistence.Config{URL: "sqlite:" + path}).WithLog(0), nobody{})
	rooms, people := persistencetest.Populate(b, store, 8, 8)
	var mu sync.Mutex
	var stall time.Duration
	moves.Store(0)
	b.ResetTimer()
	last := time.Now()
	b.SetParallelism(benchSenders)
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := int(next.Add(1))
			_, err := store.Send(context.Background(), unlike(message(rooms[n%8], people[n%8][0], persistencetest.NewID())))
			mu.Lock()
			stall = max(stall, time.Since(last))
			last = time.Now()
			mu.Unlock()
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(stall.Microseconds())/1000, "stall-ms")
	b.ReportMetric(float64(moves.Load()), "checkpoints")
}
