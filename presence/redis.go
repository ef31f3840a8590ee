package presence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"fechatter/chat"
)

const (
	redisTimeout     = 300 * time.Millisecond // of every call, including the connect
	redisConnections = 8
	redisClaims      = 500 // departures per shard and sweep, which bounds how long a script runs
)

// Redis keeps the leases of many nodes, in Redis 7.0 or newer. A call that fails
// does so within 300 ms; after three in a row, calls return ErrUnavailable at
// once, until the one let through each second succeeds. Whoever opens it closes
// it.
type Redis struct {
	client  *redis.Client
	timeout time.Duration // of every call
	scripts scripts
	breaker breaker

	mu    sync.Mutex
	since [shards]int64 // since when each shard has known leases, as of the last sweep; 0: not swept yet
}

// RedisConfig selects a Redis.
type RedisConfig struct {
	URL string // redis://[user:password@]host:port[/database], or rediss:// for TLS

	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	timeout time.Duration // of every call; 0: redisTimeout
}

// OpenRedis reads the settings. The first call connects, so that a node starts
// without Redis.
func OpenRedis(cfg RedisConfig) (*Redis, error) {
	options, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, errors.New("presence: not the address of a Redis, such as redis://host:port") // the cause would show the password
	}
	timeout := cmp.Or(cfg.timeout, redisTimeout)
	options.MaxRetries = -1 // a late answer is worthless: the caller asks again
	options.DialerRetries = 1
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = timeout, timeout, timeout
	options.PoolTimeout, options.ContextTimeoutEnabled = timeout, true
	options.PoolSize, options.PipelinePoolSize = redisConnections, -1
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if cfg.dial != nil {
		options.Dialer = cfg.dial
	}
	logging.Disable() // its log repeats the errors, and bypasses ours
	return &Redis{client: redis.NewClient(options), timeout: timeout, scripts: newScripts()}, nil
}

// Close closes the connections. Nothing may use the leases afterwards.
func (r *Redis) Close() error { return r.client.Close() }

// Ping reports whether Redis answers, bypassing the breaker.
func (r *Redis) Ping(ctx context.Context) error { return r.client.Ping(ctx).Err() }

// Renew implements Leases.
func (r *Redis) Renew(ctx context.Context, reports []Report) ([]Renewed, error) {
	p := planFor(reports, userOf, (*call).report)
	answers, err := r.numbers(ctx, r.scripts.renew, p.calls)
	if err != nil {
		return nil, fmt.Errorf("renew leases: %w", err)
	}
	renewed := make([]Renewed, len(reports))
	for i, at := range p.byUser {
		a := answers[at.call][2*at.item:]
		renewed[i] = Renewed{Appeared: a[0] == 1, Idle: milliseconds(a[1])}
	}
	return renewed, nil
}

// Release implements Leases.
func (r *Redis) Release(ctx context.Context, reports []Report) error {
	p := planFor(reports, userOf, (*call).report)
	if _, err := r.run(ctx, r.scripts.release, p.calls); err != nil {
		return fmt.Errorf("release leases: %w", err)
	}
	return nil
}

// Read implements Leases.
func (r *Redis) Read(ctx context.Context, userIDs []string) ([]Reading, error) {
	p := planFor(userIDs, func(id string) string { return id }, func(c *call, id string) { c.args = append(c.args, id) })
	answers, err := r.numbers(ctx, r.scripts.read, p.calls)
	if err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	readings := make([]Reading, len(userIDs))
	for i, at := range p.byUser {
		known, a := answers[at.call][0], answers[at.call][1+3*at.item:]
		readings[i] = Reading{Known: known == 1, Here: a[0] == 1, Idle: milliseconds(a[1]), LastActiveAt: chat.Time(a[2])}
	}
	return readings, nil
}

// Sweep implements Leases.
func (r *Redis) Sweep(ctx context.Context) (Swept, error) {
	calls := make([]*call, shards)
	for i := range calls {
		calls[i] = newCall(i)
		calls[i].args = append(calls[i].args, redisClaims, calls[i].leasesKey(""))
	}
	answers, err := r.run(ctx, r.scripts.sweep, calls)
	if err != nil {
		err = fmt.Errorf("sweep leases: %w", err)
	}
	var swept Swept
	for shard, answer := range answers {
		list, _ := answer.Slice() // nil where it failed, which err covers
		if len(list) == 0 {
			continue
		}
		since, _ := list[0].(int64)
		swept.Lost = r.lost(shard, since) || swept.Lost
		for i := 1; i+1 < len(list); i += 2 {
			user, _ := list[i].(string)
			at, _ := list[i+1].(int64)
			swept.Gone = append(swept.Gone, Departure{user, chat.Time(at)})
		}
	}
	return swept, err
}

// lost reports whether a shard has started over since the last sweep from here.
func (r *Redis) lost(shard int, since int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.since[shard]
	r.since[shard] = since
	return was != 0 && was != since
}

// numbers runs calls that return integers.
func (r *Redis) numbers(ctx context.Context, s *redis.Script, calls []*call) ([][]int64, error) {
	answers, err := r.run(ctx, s, calls)
	if err != nil {
		return nil, err
	}
	numbers := make([][]int64, len(answers))
	for i, a := range answers {
		if numbers[i], err = a.Int64Slice(); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// run runs a script for each call, in one round trip, or two where Redis does
// not have the script yet.
func (r *Redis) run(ctx context.Context, s *redis.Script, calls []*call) ([]*redis.Cmd, error) {
	if len(calls) == 0 {
		return nil, nil
	}
	var answers []*redis.Cmd
	err := r.breaker.call(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, r.timeout)
		defer cancel()
		var err error
		answers, err = r.pipeline(ctx, calls, s.EvalSha)
		if err == nil || !redis.HasErrorPrefix(err, "NOSCRIPT") {
			return err
		}
		return r.again(ctx, s, calls, answers)
	})
	return answers, err
}

type eval func(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd

func (r *Redis) pipeline(ctx context.Context, calls []*call, run eval) ([]*redis.Cmd, error) {
	pipe := r.client.Pipeline()
	answers := make([]*redis.Cmd, len(calls))
	for i, c := range calls {
		answers[i] = run(ctx, pipe, c.keys, c.args...)
	}
	_, err := pipe.Exec(ctx) // the first error of all
	return answers, err
}

// again repeats the calls that found no script, this time with its text, and
// fills in their answers.
func (r *Redis) again(ctx context.Context, s *redis.Script, calls []*call, answers []*redis.Cmd) error {
	var missing []*call
	var at []int
	for i, a := range answers {
		switch err := a.Err(); {
		case redis.HasErrorPrefix(err, "NOSCRIPT"):
			missing, at = append(missing, calls[i]), append(at, i)
		case err != nil:
			return err
		}
	}
	found, err := r.pipeline(ctx, missing, s.Eval)
	for i, a := range found {
		answers[at[i]] = a
	}
	return err
}
