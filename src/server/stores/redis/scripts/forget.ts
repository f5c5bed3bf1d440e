import { defineScript, type RedisScript } from "./script.ts";

/**
 * Deletes the stream. A tombstone stays a while, so that followers are told, and the producer does not put it back.
 *
 * KEYS[1] state
 * ARGV: the claim of an open that is taken back: of another, or one that has begun, nothing changes; or ""
 * Reply: { ok }
 */
export const forget: RedisScript = defineScript(`
if not gen or (ARGV[1] ~= "" and not isUnbegun(ARGV[1])) then return { 0 } end
redis.call("UNLINK", dataKey())
redis.call("HSET", meta, "st", "deleted")
redis.call("PEXPIRE", meta, GRACE_MS)
tell("c " .. gen)
return { 0 }
`);
