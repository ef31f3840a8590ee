-- For each of KEYS[5...], the leases of a user: user, lease, idle (-1: unknown).
-- Returns for each whether they appeared, and how long they have been idle.
local out = {}
for i = 5, #KEYS do
  local arg = 3 * (i - 4) + 1
  local user = ARGV[arg + 1]
  local gone_at = tonumber(redis.call('ZSCORE', due, user))
  if redis.call('ZADD', KEYS[i], now + ttl, ARGV[arg + 2]) == 1 then
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now) -- of nodes that died
  end
  redis.call('ZADD', due, now + ttl, user)
  out[#out + 1] = (gone_at and gone_at > now) and 0 or 1
  out[#out + 1] = now - act(user, tonumber(ARGV[arg + 3]))
end
return out
