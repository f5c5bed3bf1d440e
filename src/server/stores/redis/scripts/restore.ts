import { defineScript, type RedisScript } from "./script.ts";

/**
 * Puts back the state that Redis has lost, under the same generation, in the place of an older one.
 *
 * KEYS[1] state, KEYS[2] data of the lease's generation
 * ARGV: lease, TTL, lease or "", owner, protocol
 * Reply: { ok, last } | a loss
 */
export const restore: RedisScript = defineScript(`
local lost = loss(ARGV[1])
if lost and lost[1] ~= 4 then return lost end
if lost then
  if gen then redis.call("UNLINK", meta, dataKey()) end
  gen, st, last, bytes, at = ARGV[1], "streaming", 0, 0, nil
  ttl, lease = tonumber(ARGV[2]), tonumber(ARGV[3])
  -- Entries that were not lost stay.
  local newest = redis.call("XREVRANGE", KEYS[2], "+", "-", "COUNT", 1)
  if newest[1] then last = tonumber(string.match(newest[1][1], "^(%d+)")) end
  redis.call("HSET", meta, "gen", gen, "st", st, "last", tostring(last), "bytes", "0",
    "ttl", ARGV[2], "lease", ARGV[3], "owner", ARGV[4], "proto", ARGV[5])
end
vouch()
keep()
tell("r " .. gen .. " " .. last)
return { 0, last }
`);
