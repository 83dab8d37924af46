-- Keeps an answer, and drops the oldest ones where there are too many, of its key or in all. Returns whether it is kept.
-- KEYS: the names of all answers by time, the sizes of all, the askers of all, the epoch, the answer, the names of its
-- key's by time, and those of its conversation's, if it has one
-- ARGV: the answer, seconds to keep, now, most answers of a key, most bytes in all, the epoch when it was looked for
-- An answer's name is its redis key; before the last ":" stands that of its key's names. `drop` stands before this file.
if (redis.call('GET', KEYS[4]) or '0') ~= ARGV[6] then return 0 end
local name, mine, asker = KEYS[5], KEYS[6], KEYS[7]
if asker and redis.call('SISMEMBER', asker, 'gone') == 1 then return 0 end
drop(name)
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[3] - ARGV[2], 'LIMIT', 0, 100)) do drop(old) end
redis.call('SET', name, ARGV[1], 'EX', ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[3], name)
redis.call('ZADD', mine, ARGV[3], name)
redis.call('EXPIRE', mine, ARGV[2])
redis.call('HSET', KEYS[2], name, #ARGV[1])
redis.call('HINCRBY', KEYS[2], 'all', #ARGV[1])
if asker then
  redis.call('HSET', KEYS[3], name, asker)
  redis.call('SADD', asker, name)
  redis.call('EXPIRE', asker, ARGV[2])
end
while redis.call('ZCARD', mine) > tonumber(ARGV[4]) do drop(redis.call('ZRANGE', mine, 0, 0)[1]) end
while tonumber(redis.call('HGET', KEYS[2], 'all')) > tonumber(ARGV[5]) do
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
  if not oldest then break end
  drop(oldest)
end
return 1
