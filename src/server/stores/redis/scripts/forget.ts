import { defineScript, type RedisScript } from "./script.ts";

/**
 * Deletes the stream. A tombstone stays a while, so that followers are told, and the producer does not put it back.
 *
 * KEYS[1] state
 * ARGV: beginning of the names of its data
 * Reply: { ok }
 */
export const forget: RedisScript = defineScript(`
if not s.gen then return { 0 } end
redis.call("UNLINK", ARGV[1] .. s.gen)
redis.call("HSET", meta, "tomb", 1)
redis.call("PEXPIRE", meta, GRACE_MS)
tell("c " .. s.gen)
return { 0 }
`);
