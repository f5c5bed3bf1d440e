import { defineScript, type RedisScript } from "./script.ts";

/**
 * Reads the state. Where the caller saw the lease lapse, and it still has, ends the stream as producer-lost first.
 *
 * KEYS[1] state
 * ARGV: `until` that was seen to have lapsed, or "", the newest generation that the caller knows, or "", text of producer-lost
 * Reply: { ok, record… } | { gone, deleted | expired } | { absent }, also where there is only an older generation
 */
export const inspect: RedisScript = defineScript(`
if not gen or ARGV[2] > gen then return { 4 } end
local seen = ARGV[1]
if seen ~= "" and not gone() and lapse() == seen and now >= tonumber(seen) then
  -- Where a replica took its master's place, the producer may not have found it yet: it is given a lease's time.
  if vouch() then
    keep()
    tell("r " .. gen .. " " .. last)
  else
    finish("error", "producer-lost", ARGV[3])
  end
end
if gone() then return { 3, gone() } end
return { 0, unpack(record()) }
`);
