-- For each of KEYS[5...], the leases of a user: user, lease. A release only
-- ever brings the end nearer: who is gone already does not come back by it.
for i = 5, #KEYS do
  local arg = 2 * (i - 4) + 2 -- three arguments come first
  if redis.call('ZREM', KEYS[i], ARGV[arg + 1]) == 1 then
    local last = redis.call('ZREVRANGE', KEYS[i], 0, 0, 'WITHSCORES')
    local at = math.max(now + grace, math.min(tonumber(last[2] or 0), now + ttl))
    redis.call('ZADD', due, 'XX', 'LT', at, ARGV[arg])
  end
end
return redis.status_reply('OK')
