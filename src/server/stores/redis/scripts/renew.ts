import { defineScript, type RedisScript } from "./script.ts";

/**
 * Renews the lease and the TTL.
 *
 * KEYS[1] state, KEYS[2] data of the lease's generation
 * ARGV: lease
 * Reply: { ok, last } | a loss
 */
export const renew: RedisScript = defineScript(`
local lost = loss(ARGV[1])
if lost then return lost end
keep(KEYS[2])
tell("r " .. s.gen .. " " .. int(s.last) .. " " .. times())
return { 0, int(s.last) }
`);
