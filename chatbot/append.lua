-- Appends one event to a conversation's log, if its writer still may write.
-- KEYS: state hash, log stream, feed stream of all conversations
-- ARGV: conversation, fence ("": whoever owns it), attempt ("" for writers that are no turn), once (id under which it may be appended only once, or ""),
--       event type, payload (a JSON object without seq), log length, seconds to keep, feed length,
--       follows (id of an earlier append that must be known here, or ""), version (a higher one under the same id takes the lower one's place)
-- Returns {status, seq}: "ok"; "again" (appended before, or a higher version was, under this seq); "stale" (also: erased);
-- "lost" (no state here: restore it first); "full" (numbers are used up: raise the ceiling first)
local state = redis.call('HMGET', KEYS[1], 'fence', 'attempt', 'seq', 'ceiling', 'erased')
if state[5] then return {'stale', 0} end
if not state[1] then return {'lost', 0} end
if ARGV[2] ~= '' and tonumber(state[1]) ~= tonumber(ARGV[2]) then return {'stale', 0} end
if ARGV[3] ~= '' and tonumber(state[2]) ~= tonumber(ARGV[3]) then return {'stale', 0} end
local before = {}
if ARGV[4] ~= '' then
  before = redis.call('HMGET', KEYS[1], 'once:' .. ARGV[4], 'version:' .. ARGV[4])
  if before[1] and tonumber(before[2] or 0) >= tonumber(ARGV[11]) then return {'again', tonumber(before[1])} end
end
if ARGV[10] ~= '' and redis.call('HEXISTS', KEYS[1], 'once:' .. ARGV[10]) == 0 then return {'lost', 0} end
local seq = tonumber(state[3]) + 1
if seq > tonumber(state[4]) then return {'full', tonumber(state[4])} end
redis.call('HSET', KEYS[1], 'seq', seq)
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'once:' .. ARGV[4], seq) end
if ARGV[11] ~= '0' then redis.call('HSET', KEYS[1], 'version:' .. ARGV[4], ARGV[11]) end
if before[1] then redis.call('XDEL', KEYS[2], before[1] .. '-0') end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], seq .. '-0', 'type', ARGV[5], 'payload', ARGV[6])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[9], '*', 'conversation', ARGV[1], 'seq', seq, 'type', ARGV[5], 'payload', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[8])
redis.call('EXPIRE', KEYS[2], ARGV[8])
return {'ok', seq}
