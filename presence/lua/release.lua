-- For each of KEYS[5...], the leases of a user: user, lease, idle (-1: unknown).
-- A release only ever brings the end nearer: it brings nobody back.
for i = 5, #KEYS do
  local arg = 3 * (i - 4) + 1
  local user = ARGV[arg + 1]
  if redis.call('ZREM', KEYS[i], ARGV[arg + 2]) == 1 then
    local last = redis.call('ZREVRANGE', KEYS[i], 0, 0, 'WITHSCORES')
    local at = math.max(now + grace, math.min(tonumber(last[2] or 0), now + ttl))
    redis.call('ZADD', due, 'XX', 'LT', at, user)
    act(user, tonumber(ARGV[arg + 3]))
  end
end
return redis.status_reply('OK')
