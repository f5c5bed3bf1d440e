import type { RedisScript } from "./script.ts";

/**
 * Tells a key's name as Redis has it: a client may put a prefix of its own before it.
 *
 * KEYS[1] key
 * Reply: the name
 */
export const keyName: RedisScript = { source: `return KEYS[1]` };
