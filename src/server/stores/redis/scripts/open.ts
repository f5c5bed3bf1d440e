import { defineScript, type RedisScript } from "./script.ts";

/**
 * Elects the producer.
 *
 * KEYS[1] state
 * ARGV: claim, TTL, lease or "", owner, protocol, takeover 0|1
 * Reply: { producer | consumer, record… }
 */
export const open: RedisScript = defineScript(`
if gen and not gone() then
  local isOwn = isUnbegun(ARGV[1])
  if isOwn and st == "streaming" then
    vouch()
    keep()
    return { 6, unpack(record()) }
  end
  local isTakenOver = ARGV[6] == "1" and isLost() and rest().owner == ARGV[4]
  if not isOwn and not isTakenOver then return { 7, unpack(record()) } end
end
local stamp = now
-- The new generation is newer, even if the clock went back.
if gen then stamp = math.max(stamp, tonumber(string.sub(gen, 1, 9), 36) + 1) end
local digits = ""
for _ = 1, 9 do
  local digit = stamp % 36
  digits = string.sub("0123456789abcdefghijklmnopqrstuvwxyz", digit + 1, digit + 1) .. digits
  stamp = math.floor(stamp / 36)
end
if gen then redis.call("UNLINK", meta, dataKey()) end
gen, st, last, bytes, at = digits .. "-" .. ARGV[1], "streaming", 0, 0, nil
ttl, lease = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call("HSET", meta, "gen", gen, "st", st, "last", "0", "bytes", "0",
  "ttl", ARGV[2], "lease", ARGV[3], "owner", ARGV[4], "proto", ARGV[5])
vouch()
keep()
tell("c " .. gen)
return { 6, unpack(record()) }
`);
