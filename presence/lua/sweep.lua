-- ARGV[5] is the most users to claim, ARGV[6] the prefix of the leases' keys.
-- Returns since, user, last activity, user, last activity ... Users removed from
-- due here are returned to this caller and to no other.
--
-- When nobody swept for longer than the gap, or the clock jumped, leases may have
-- expired because Redis stood still: nobody is gone until all could be renewed.
if not clock or math.abs(now - clock) > gap then
  since = now
  redis.call('SET', since_key, since)
end
clock = now
redis.call('SET', clock_key, clock)

-- What ends later than any lease can was written before the clock went back.
for _, user in ipairs(redis.call('ZRANGEBYSCORE', due, now + ttl + grace, '+inf', 'LIMIT', 0, ARGV[5])) do
  redis.call('ZADD', due, now + ttl, user)
end

local out = { since }
if not absence_known() then
  return out
end
for _, user in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, ARGV[5])) do
  redis.call('ZREM', due, user)
  out[#out + 1] = user
  out[#out + 1] = math.min(tonumber(redis.call('HGET', active, user)) or 0, now)
  redis.call('HDEL', active, user)
  redis.call('DEL', ARGV[6] .. user)
end
return out
