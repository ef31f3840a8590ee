-- For each of ARGV[5...], a user: whether they are here, how long they have been
-- idle, and since when. The first result is whether absence is known.
local out = { absence_known() and 1 or 0 }
for i = 5, #ARGV do
  local gone_at = tonumber(redis.call('ZSCORE', due, ARGV[i]))
  local at = math.min(tonumber(redis.call('HGET', active, ARGV[i])) or 0, now)
  out[#out + 1] = (gone_at and gone_at > now) and 1 or 0
  out[#out + 1] = now - at
  out[#out + 1] = at
end
return out
