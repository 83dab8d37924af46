-- Puts a conversation's state back from the database, if redis has none; raises fence, attempt and ceiling, never lowers them.
-- What was erased stays as it is.
-- KEYS: state hash.  ARGV: fence, attempt, first seq to continue after, ceiling, seconds to keep
local state = redis.call('HMGET', KEYS[1], 'fence', 'attempt', 'seq', 'ceiling', 'erased')
if state[5] then return 0 end
local function most(a, b) if a and tonumber(a) > tonumber(b) then return a else return b end end
redis.call('HSET', KEYS[1], 'fence', most(state[1], ARGV[1]), 'attempt', most(state[2], ARGV[2]),
  'seq', state[3] or ARGV[3], 'ceiling', most(state[4], ARGV[4]))
redis.call('EXPIRE', KEYS[1], ARGV[5])
return state[3] and 0 or 1
