/** The hash by which Redis knows a script: SHA-1 of its source, in hexadecimal. */
import type { RedisScript } from "./scripts/script.ts";

const hashes = new WeakMap<RedisScript, Promise<string>>();

/** Hash of a script; computed once. */
export function scriptHash(script: RedisScript): Promise<string> {
  let hash = hashes.get(script);
  if (hash === undefined) {
    hash = crypto.subtle
      .digest("SHA-1", new TextEncoder().encode(script.source))
      .then((digest) =>
        Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join(""),
      );
    hashes.set(script, hash);
  }
  return hash;
}

/** Runs a script by its hash; where Redis does not know it, after a restart for instance, with its source. */
export async function runByHash(
  script: RedisScript,
  byHash: (hash: string) => Promise<unknown>,
  bySource: (source: string) => Promise<unknown>,
): Promise<unknown> {
  try {
    return await byHash(await scriptHash(script));
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("NOSCRIPT")) return bySource(script.source);
    throw error;
  }
}
