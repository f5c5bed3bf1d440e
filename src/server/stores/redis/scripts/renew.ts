import { defineScript, type RedisScript } from "./script.ts";

/**
 * Renews the lease and the TTL.
 *
 * KEYS[1] state
 * ARGV: lease
 * Reply: { ok, last } | a loss
 */
export const renew: RedisScript = defineScript(`
local lost = loss(ARGV[1])
if lost then return lost end
vouch()
keep()
tell("r " .. gen .. " " .. last)
return { 0, last }
`);
