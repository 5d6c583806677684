/*
 * Celery sends MULTI, ZADD, ZCOUNT, GET, GET, EXPIRE, EXPIRE, EXPIRE, EXEC for each member of a chord. As a script it is one command: for a
 * header of a thousand, what a client does for eight more of them each is most of the work.
 *
 * KEYS   members, how many were added, how many there were      ARGV[1]  '1' for a sorted set, '0' for a list
 * ARGV[2]  place     ARGV[3]  member, empty for none     ARGV[4]  member to take out first, empty for none     ARGV[5]  seconds, 0 for ever
 * ARGV[6..]  how the texts of the same member begin, to look for it in its place: a success that is there stays, anything else is taken out
 * returns how many members have ended, how many were added, and how many there were; nil for the latter two if that isn't there
 */
export const COUNT_PART = `
local sorted = ARGV[1] == '1'
if ARGV[4] ~= '' then
  if sorted then redis.call('ZREM', KEYS[1], ARGV[4]) else redis.call('LREM', KEYS[1], 1, ARGV[4]) end
end
local add = ARGV[3]
if #ARGV > 5 then
  -- Members that were added later share a place, and may be many.
  for _, text in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], ARGV[2], 'LIMIT', 0, 100)) do
    for at = 6, #ARGV do
      local head = ARGV[at]
      if string.sub(text, 1, #head) == head then
        if string.sub(text, #head + 1, #head + 9) == '"SUCCESS"' then add = '' else redis.call('ZREM', KEYS[1], text) end
      end
    end
  end
end
if add ~= '' then
  if sorted then redis.call('ZADD', KEYS[1], ARGV[2], add) else redis.call('RPUSH', KEYS[1], add) end
end
local ready = sorted and redis.call('ZCOUNT', KEYS[1], '-inf', '+inf') or redis.call('LLEN', KEYS[1])
if tonumber(ARGV[5]) > 0 then
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[5]) end
end
return { ready, redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3]) }
`
