import { defineScript, type RedisScript } from "./script.ts";

/**
 * Ends the stream, as its producer, if its log reaches a number.
 *
 * KEYS[1] state
 * ARGV: lease, status, code, message, last sequence number or ""
 * Reply: { ok, last, whether this call ended it 0|1 } | a loss
 */
export const end: RedisScript = defineScript(`
local lost = loss(ARGV[1])
if lost then
  if lost[1] == 2 and lost[3] == ARGV[2] and lost[4] == ARGV[3] and lost[5] == ARGV[4] then
    return { 0, last, 0 }
  end
  return lost
end
if ARGV[5] ~= "" and tonumber(ARGV[5]) > last then return { 0, last, 0 } end
finish(ARGV[2], ARGV[3], ARGV[4])
return { 0, last, 1 }
`);
