package presence_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"fechatter/presence"
)

// people returns n ids like those of the program.
func people(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7()).String()
	}
	return ids
}

func reports(ids []string) []presence.Report {
	list := make([]presence.Report, len(ids))
	for i, id := range ids {
		list[i] = presence.Report{Lease: presence.Lease{ID: fmt.Sprintf("LEASE%021d", i), UserID: id}, Idle: time.Duration(i%1000) * time.Second}
	}
	return list
}

// surely repeats calls that time out on a busy machine: the benchmark measures work.
func surely(b *testing.B, f func() error) {
	b.Helper()
	for end := time.Now().Add(recovery); ; <-time.After(20 * time.Millisecond) {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			b.Fatal(err)
		}
	}
}

func renewSurely(b *testing.B, r *presence.Redis, list []presence.Report) {
	b.Helper()
	surely(b, func() error { _, err := r.Renew(b.Context(), list); return err })
}

// BenchmarkRedisRenew renews 100,000 leases, in requests of as many as come due
// in a second on a node with 10,000 connections. "redis-%-of-core" is how much of
// a core Redis uses when they are renewed every 15 s.
func BenchmarkRedisRenew(b *testing.B) {
	const leases, batch, every = 100_000, 667, 15.0
	s := emptyRedis(b)
	r := open(b, s.URL())
	all := reports(people(leases))
	renewAll := func() {
		for at := 0; at < len(all); at += batch {
			renewSurely(b, r, all[at:min(at+batch, len(all))])
		}
	}
	renewAll()
	before, own := redisCPU(b, s.Info), processCPU(b)
	b.ResetTimer()
	for range b.N {
		renewAll()
	}
	b.StopTimer()
	perRound := (redisCPU(b, s.Info) - before) / float64(b.N)
	b.ReportMetric(100*perRound/every, "redis-%-of-core")
	b.ReportMetric(1e6*perRound/leases, "redis-µs/lease")
	b.ReportMetric(1e6*(processCPU(b)-own)/float64(b.N)/leases, "node-µs/lease")
}

// BenchmarkRedisRead reads 500 users of 100,000.
func BenchmarkRedisRead(b *testing.B) {
	s := emptyRedis(b)
	r := open(b, s.URL())
	ids := people(100_000)
	for at := 0; at < len(ids); at += 1000 {
		renewSurely(b, r, reports(ids[at:at+1000]))
	}
	before := redisCPU(b, s.Info)
	b.ResetTimer()
	for i := range b.N {
		at := i * 500 % len(ids)
		surely(b, func() error { _, err := r.Read(b.Context(), ids[at:at+500]); return err })
	}
	b.StopTimer()
	b.ReportMetric(1e6*(redisCPU(b, s.Info)-before)/float64(b.N), "redis-µs/op")
}

// BenchmarkTracker is a node with 10,000 connections that are sometimes active,
// against a real Redis, for as long as the benchmark may run: one iteration is a
// second. "node-%-of-core" is the use of the process, "redis-%-of-core" that of
// Redis.
func BenchmarkTracker(b *testing.B) {
	const connections = 10_000
	s := emptyRedis(b)
	town := newTown(b, open(b, s.URL()), 0)
	tracker := presence.New(presence.Config{}, town.leases, town.facts, &node{town: town}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tracker.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}()
	devices := make([]*presence.Device, connections)
	for i, id := range people(connections) {
		devices[i] = tracker.Join(id, nil)
	}
	for range 17 { // until every lease has its slot
		<-time.After(time.Second)
	}
	before, own, start := redisCPU(b, s.Info), processCPU(b), time.Now()
	b.ResetTimer()
	for i := range b.N {
		for n := range connections / 20 { // each is active every 20 s
			devices[(i*connections/20+n)%connections].Active()
		}
		<-time.After(time.Second)
	}
	b.StopTimer()
	took := time.Since(start).Seconds()
	b.ReportMetric(100*(processCPU(b)-own)/took, "node-%-of-core")
	b.ReportMetric(100*(redisCPU(b, s.Info)-before)/took, "redis-%-of-core")
}

// redisCPU returns the core seconds that Redis has used.
func redisCPU(b *testing.B, info func(context.Context, string) (string, error)) float64 {
	b.Helper()
	text, err := info(b.Context(), "cpu")
	if err != nil {
		b.Fatal(err)
	}
	var sum float64
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			sum += seconds
		}
	}
	return sum
}

// processCPU returns the core seconds that this process has used.
func processCPU(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
