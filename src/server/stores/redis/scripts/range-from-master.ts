import type { RedisScript } from "./script.ts";

/**
 * Reads entries. A cluster's client may send plain reads to replicas, which are behind; scripts it sends to masters.
 *
 * KEYS[1] data
 * ARGV: first entry id, most entries
 * Reply: { first entry id, last entry id, payload… } | {}
 */
export const rangeFromMaster: RedisScript = {
  source: `
local entries = redis.call("XRANGE", KEYS[1], ARGV[1], "+", "COUNT", ARGV[2])
if #entries == 0 then return {} end
local reply = { entries[1][1], entries[#entries][1] }
for i, entry in ipairs(entries) do reply[i + 2] = entry[2][2] end
return reply
`,
};
