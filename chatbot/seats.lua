-- Takes a seat in a place, or keeps the one that the holder has.
-- KEYS: place (a sorted set of holders by the second until which they hold)  ARGV: holder, most seats, seconds to hold
-- Returns 1, or 0 when all seats are taken
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
