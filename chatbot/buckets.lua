-- Takes one token from each of several buckets, or none from any.
-- KEYS: buckets  ARGV: for each bucket its tokens a second, then the most it holds
-- Returns {seconds to wait (a text; "0": taken), number of the bucket that is the longest to fill, from 1 (0: none)}
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local levels, wait, slowest = {}, 0, 0
for i, key in ipairs(KEYS) do
  local rate, most = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local state = redis.call('HMGET', key, 'tokens', 'at')
  local level = most
  if state[1] then level = math.min(most, tonumber(state[1]) + math.max(0, now - tonumber(state[2])) * rate) end
  levels[i] = level
  if level < 1 and (1 - level) / rate > wait then wait, slowest = (1 - level) / rate, i end
end
if slowest > 0 then return {string.format('%.9f', math.max(wait, 1e-6)), slowest} end
for i, key in ipairs(KEYS) do
  local rate, most = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  redis.call('HSET', key, 'tokens', string.format('%.6f', levels[i] - 1), 'at', string.format('%.6f', now))
  redis.call('EXPIRE', key, math.ceil(most / rate) + 1)
end
return {'0', 0}
