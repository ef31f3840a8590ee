package redistest

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// move adds ARGV[1] to every number in the keys that begin with ARGV[2].
const move = `
for _, key in ipairs(redis.call('KEYS', ARGV[2] .. '*')) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'string' then
    redis.call('INCRBY', key, ARGV[1])
  elseif kind == 'hash' then
    for _, field in ipairs(redis.call('HKEYS', key)) do redis.call('HINCRBY', key, field, ARGV[1]) end
  elseif kind == 'zset' then
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, ARGV[1], member) end
  end
end
return redis.status_reply('OK')`

// Advance moves the clock of the server for all keys with a prefix. The clock
// itself cannot be set, so it moves every time in those keys the other way. A
// negative d turns the clock back.
func (s *Server) Advance(ctx context.Context, prefix string, d time.Duration) error {
	return s.do(func(c *redis.Client) error {
		if err := c.Eval(ctx, move, nil, -d.Milliseconds(), prefix).Err(); err != nil {
			return fmt.Errorf("move times: %w", err)
		}
		return nil
	})
}
