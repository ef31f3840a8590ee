package presence

import (
	_ "embed"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed lua/prelude.lua
	luaPrelude string
	//go:embed lua/renew.lua
	luaRenew string
	//go:embed lua/release.lua
	luaRelease string
	//go:embed lua/read.lua
	luaRead string
	//go:embed lua/sweep.lua
	luaSweep string
)

// shards is the number of hash slots that users are spread over. A script touches
// the keys of only one shard, as Redis Cluster demands. It must never change: it
// determines where a user's keys are.
const shards = 16

const (
	// sweepGap is how long sweeps may pause, or how far the clock of Redis may
	// jump, before the absence of a lease means nothing for a while.
	sweepGap = 10 * time.Second
	// rebuildTime is how long the absence of a lease means nothing after leases
	// were lost or could not be renewed: by then every node has renewed its own.
	rebuildTime = 10 * time.Second
)

// scripts are the atomic steps, one script for each method of Leases.
type scripts struct {
	renew, release, read, sweep *redis.Script
}

func newScripts() scripts {
	return scripts{
		renew:   redis.NewScript(luaPrelude + luaRenew),
		release: redis.NewScript(luaPrelude + luaRelease),
		read:    redis.NewScript(luaPrelude + luaRead),
		sweep:   redis.NewScript(luaPrelude + luaSweep),
	}
}

func shardOf(userID string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(userID)) // never fails
	return int(h.Sum32() % shards)
}

// call is one run of a script, on the keys of one shard.
type call struct {
	shard int
	keys  []string
	args  []any
}

func newCall(shard int) *call {
	c := &call{shard: shard}
	for _, name := range []string{"due", "active", "since", "clock"} {
		c.keys = append(c.keys, shardKey(shard, name))
	}
	c.args = append(c.args, leaseTTL.Milliseconds(), leaseGrace.Milliseconds(), sweepGap.Milliseconds(),
		rebuildTime.Milliseconds())
	return c
}

func shardKey(shard int, name string) string {
	return "fechatter:presence:{" + strconv.Itoa(shard) + "}:" + name
}

// leasesKey names the key of a user's leases.
func (c *call) leasesKey(userID string) string { return shardKey(c.shard, "leases:"+userID) }

// report adds a connection: its key and three arguments.
func (c *call) report(r Report) {
	idle := int64(-1)
	if r.Idle >= 0 {
		idle = r.Idle.Milliseconds()
	}
	c.keys = append(c.keys, c.leasesKey(r.UserID))
	c.args = append(c.args, r.UserID, r.ID, idle)
}

func userOf(r Report) string { return r.UserID }

// plan groups items about users into calls, one per shard, and remembers where
// the answer for each item is.
type plan struct {
	calls  []*call
	byUser []place // of each item, in the given order
}

// place locates an answer: the call, and the item within it.
type place struct{ call, item int }

// planFor adds each item to the call of its user's shard.
func planFor[T any](items []T, userID func(T) string, add func(*call, T)) plan {
	p := plan{byUser: make([]place, len(items))}
	var index, count [shards]int
	for i, item := range items {
		shard := shardOf(userID(item))
		if count[shard] == 0 {
			index[shard] = len(p.calls)
			p.calls = append(p.calls, newCall(shard))
		}
		p.byUser[i] = place{index[shard], count[shard]}
		count[shard]++
		add(p.calls[index[shard]], item)
	}
	return p
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
