-- Keeps an answer, and drops the oldest ones where there are too many, of its key or in all.
-- KEYS: the answer, the names of all answers by time, the names of its key's by time, the sizes of all
-- ARGV: the answer, seconds to keep, now, most answers of a key, most bytes in all
-- An answer's name is its redis key; before the last ":" stands that of its key's names.
local function drop(name)
  redis.call('UNLINK', name)
  redis.call('ZREM', KEYS[2], name)
  redis.call('ZREM', string.match(name, '^(.*):'), name)
  local size = redis.call('HGET', KEYS[4], name)
  if size then
    redis.call('HDEL', KEYS[4], name)
    redis.call('HINCRBY', KEYS[4], 'all', -size)
  end
end
drop(KEYS[1])
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[3] - ARGV[2], 'LIMIT', 0, 100)) do drop(name) end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], KEYS[1])
redis.call('ZADD', KEYS[3], ARGV[3], KEYS[1])
redis.call('EXPIRE', KEYS[3], ARGV[2])
redis.call('HSET', KEYS[4], KEYS[1], #ARGV[1])
redis.call('HINCRBY', KEYS[4], 'all', #ARGV[1])
while redis.call('ZCARD', KEYS[3]) > tonumber(ARGV[4]) do drop(redis.call('ZRANGE', KEYS[3], 0, 0)[1]) end
while tonumber(redis.call('HGET', KEYS[4], 'all')) > tonumber(ARGV[5]) do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest then break end
  drop(oldest)
end
return 1
