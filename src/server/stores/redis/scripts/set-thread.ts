import type { RedisScript } from "./script.ts";

/**
 * Makes a stream its thread's newest, unless a newer one is there.
 *
 * KEYS[1] thread
 * ARGV: generation, stream id, milliseconds to keep it
 * Reply: 1
 */
export const setThread: RedisScript = {
  source: `
local known = redis.call("GET", KEYS[1])
if not known or string.match(known, "^%S+") < ARGV[1] then
  redis.call("SET", KEYS[1], ARGV[1] .. " " .. ARGV[2], "PX", ARGV[3])
end
return 1
`,
};
