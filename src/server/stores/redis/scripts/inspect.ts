import { defineScript, type RedisScript } from "./script.ts";

/**
 * Reads the state. Where the caller saw the lease lapse, and it still has, ends the stream as producer-lost first.
 *
 * KEYS[1] state
 * ARGV: `until` that was seen to have lapsed, or "", text of producer-lost
 * Reply: { ok, record… } | { gone, deleted | expired } | { absent }
 */
export const inspect: RedisScript = defineScript(`
condemn(ARGV[1])
if not gen then return { 4 } end
if gone() then return { 3, gone() } end
return { 0, unpack(record()) }
`);
