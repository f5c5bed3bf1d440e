/** What a replica does that takes its master's place, and was behind: a stream is again what it was. */
import type { Redis } from "ioredis";

/** Notes the keys that match; what it gives brings them back, and takes away those that were not there. */
export async function noteKeys(admin: Redis, pattern: string): Promise<() => Promise<void>> {
  const noted = await Promise.all(
    (await admin.keys(pattern)).map(async (key) => [key, await admin.dumpBuffer(key)] as const),
  );
  return async () => {
    for (const key of await admin.keys(pattern)) await admin.del(key);
    for (const [key, value] of noted) await admin.restore(key, 0, value);
    // Those who listened did so elsewhere, and look when they listen again.
    await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
  };
}
