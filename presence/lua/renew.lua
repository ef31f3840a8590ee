-- For each of KEYS[5...], the leases of a user: user, lease, idle (-1: unknown).
-- Answers for each whether they appeared, and for how long they have been idle.
local out = {}
for i = 5, #KEYS do
  local arg = 3 * (i - 4)
  local user, idle = ARGV[arg + 1], tonumber(ARGV[arg + 3])
  local gone_at = tonumber(redis.call('ZSCORE', due, user))
  if redis.call('ZADD', KEYS[i], now + ttl, ARGV[arg + 2]) == 1 then
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now) -- of nodes that died
  end
  redis.call('ZADD', due, now + ttl, user)
  local at = tonumber(redis.call('HGET', active, user))
  if not at or at > now or idle >= 0 and now - idle > at then
    at = now - math.max(idle, 0)
    redis.call('HSET', active, user, at)
  end
  out[#out + 1] = (gone_at and gone_at > now) and 0 or 1
  out[#out + 1] = now - at
end
return out
