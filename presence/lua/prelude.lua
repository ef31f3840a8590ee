-- The beginning of every script. The keys of one shard are
--   due     zset  user -> when they go offline
--   active  hash  user -> their last activity
--   since   when this Redis first ran a script, or its clock last jumped
--   clock   when it was last swept
-- and one zset per user: lease -> its end. All times are milliseconds by the
-- clock of Redis, so that the clocks of nodes do not matter.
local due, active, since_key, clock_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ttl, grace = tonumber(ARGV[1]), tonumber(ARGV[2])
local gap, rebuild = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local since = tonumber(redis.call('GET', since_key))
local clock = tonumber(redis.call('GET', clock_key))
if not since or since > now then
  since = now
  redis.call('SET', since_key, since)
end

-- act notes how long a user has been idle (-1: unknown), and returns when they
-- were last active.
local function act(user, idle)
  local at = tonumber(redis.call('HGET', active, user))
  if not at or at > now or idle >= 0 and now - idle > at then
    at = now - math.max(idle, 0)
    redis.call('HSET', active, user, at)
  end
  return at
end

-- absence_known reports whether every lease had time to be renewed since this
-- Redis began to know leases, so that whoever has none is really gone.
local function absence_known()
  return clock and math.abs(now - clock) <= gap and now - since >= rebuild
end

