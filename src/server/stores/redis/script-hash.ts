/** Runs scripts by the hash under which Redis knows them: SHA-1 of the source, in hexadecimal. */
import type { RedisScript } from "./scripts/script.ts";

const hashes = new WeakMap<RedisScript, string>();
const hashing = new WeakMap<RedisScript, Promise<string>>();

function hashOf(script: RedisScript): Promise<string> {
  let hash = hashing.get(script);
  if (hash === undefined) {
    hash = computeHash(script);
    hashing.set(script, hash);
  }
  return hash;
}

async function computeHash(script: RedisScript): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(script.source));
  const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  hashes.set(script, hash);
  return hash;
}

/** Runs a script by its hash; where Redis does not know it, after a restart for instance, with its source. */
export function runByHash(
  script: RedisScript,
  byHash: (hash: string) => Promise<unknown>,
  bySource: (source: string) => Promise<unknown>,
): Promise<unknown> {
  const known = hashes.get(script);
  const answered = known === undefined ? hashOf(script).then(byHash) : byHash(known);
  return answered.catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith("NOSCRIPT")) return bySource(script.source);
    throw error;
  });
}
