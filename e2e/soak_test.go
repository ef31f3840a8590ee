package e2e

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
	"fechatter/e2e/proxy"
)

var soakFlag = flag.Duration("soak", 0, "how long TestSoak goes on; 0: not at all")

// TestSoak brings faults, drawn by lot, one after the other for as long as -soak says,
// half of them on a noisy bus, and judges after every few. With an odd seed there are
// three NATS servers.
func TestSoak(t *testing.T) {
	if *soakFlag == 0 {
		t.Skip("make soak DURATION=10m")
	}
	deadline := time.Now().Add(*soakFlag)
	s := begin(t, cluster.Config{Buses: 1 + 2*int(*seedFlag%2)})
	for round := 0; time.Now().Before(deadline) && !t.Failed(); round++ {
		s.people(load.Config{Prefix: fmt.Sprintf("r%d.", round), People: 4 + s.rng.IntN(12), Chats: 1 + s.rng.IntN(5), Devices: 1 + s.rng.IntN(3)})
		s.sends(20)
		for range 1 + s.rng.IntN(3) {
			list := faults()
			f := list[s.rng.IntN(len(list))]
			noisy := s.rng.IntN(2) == 0
			t.Logf("round %d: %s, noisy bus: %t", round, f.name, noisy)
			if noisy {
				s.setNoise(proxy.Noise{Drop: 0.1, Double: 0.1, Reorder: 0.1})
			}
			f.do(s)
			s.Heal()
		}
		s.sends(20)
		s.judge()
	}
}
