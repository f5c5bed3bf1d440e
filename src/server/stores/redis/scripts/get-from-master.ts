import type { RedisScript } from "./script.ts";

/**
 * Reads a value. A cluster's client may send plain reads to replicas, which are behind; scripts it sends to masters.
 *
 * KEYS[1] key
 * Reply: the value | nil
 */
export const getFromMaster: RedisScript = { source: `return redis.call("GET", KEYS[1])` };
