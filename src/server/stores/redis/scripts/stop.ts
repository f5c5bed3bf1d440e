import { defineScript, type RedisScript } from "./script.ts";

/**
 * Ends the stream as stopped, whoever produces it.
 *
 * KEYS[1] state
 * Reply: { ok, record… } | { gone } | { absent }
 */
export const stop: RedisScript = defineScript(`
if not gen then return { 4 } end
if gone() then return { 3, gone() } end
if st == "streaming" then finish("stopped", "", "") end
return { 0, unpack(record()) }
`);
