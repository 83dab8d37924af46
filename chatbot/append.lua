-- Appends one event to a conversation's log, if its writer still may write.
-- KEYS: state hash, log stream, feed stream of all conversations
-- ARGV: conversation, fence ("": whoever owns it), attempt ("" for writers that are no turn), once (id under which it may be appended only once, or ""),
--       event type, payload (a JSON object without seq), log length, seconds to keep, feed length,
--       follows (id of an earlier append that must be known here, or "")
-- Returns {status, seq}: "ok"; "again" (appended before, under this seq); "stale"; "lost" (no state here: restore it first);
-- "full" (numbers are used up: raise the ceiling first)
local state = redis.call('HMGET', KEYS[1], 'fence', 'attempt', 'seq', 'ceiling')
if not state[1] then return {'lost', 0} end
if ARGV[2] ~= '' and tonumber(state[1]) ~= tonumber(ARGV[2]) then return {'stale', 0} end
if ARGV[3] ~= '' and tonumber(state[2]) ~= tonumber(ARGV[3]) then return {'stale', 0} end
if ARGV[4] ~= '' then
  local before = redis.call('HGET', KEYS[1], 'once:' .. ARGV[4])
  if before then return {'again', tonumber(before)} end
end
if ARGV[10] ~= '' and redis.call('HEXISTS', KEYS[1], 'once:' .. ARGV[10]) == 0 then return {'lost', 0} end
local seq = tonumber(state[3]) + 1
if seq > tonumber(state[4]) then return {'full', tonumber(state[4])} end
redis.call('HSET', KEYS[1], 'seq', seq)
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'once:' .. ARGV[4], seq) end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], seq .. '-0', 'type', ARGV[5], 'payload', ARGV[6])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[9], '*', 'conversation', ARGV[1], 'seq', seq, 'type', ARGV[5], 'payload', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[8])
redis.call('EXPIRE', KEYS[2], ARGV[8])
return {'ok', seq}
