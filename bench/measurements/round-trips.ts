/** How many commands each call of the store takes. */
import { createClient } from "redis";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import type { Measure } from "../lib/report.ts";
import { commandsBetween, readMeters } from "../lib/redis-meter.ts";

export const measure: Measure = async (url) => {
  const admin = await createClient({ url }).connect();
  const client = await createClient({ url }).connect();
  const store = createRedisResumableStreamStore(client);
  const bytes = new TextEncoder().encode("a word");

  async function rounds(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    const count = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
      const before = await readMeters(admin);
      const result = await call();
      counts[name] = commandsBetween(before, await readMeters(admin));
      return result;
    };
    const id = crypto.randomUUID();
    const acquired = await count("acquire", () => store.acquireLease(id));
    if (acquired.role !== "producer") throw new Error("Somebody else has the stream.");
    await count("append", () => store.append(id, bytes, acquired.lease));
    await count("renew", () => store.renew(id, acquired.lease));
    await count("finalize", () => store.finalize(id, "done", undefined, acquired.lease));
    const other = crypto.randomUUID();
    await store.acquireLease(other);
    await count("stop", () => store.stop(other));
    return counts;
  }

  // The first time Redis learns the scripts.
  await rounds();
  const counts = await rounds();
  await store.close();
  client.destroy();
  admin.destroy();
  return {
    title: "Round trips",
    how: "Commands on the wire for one call of the store, once Redis knows the scripts.",
    figures: Object.entries(counts).map(([what, count]) => ({
      what,
      rejoin: String(count),
      bar: "1",
      isMet: count === 1,
    })),
  };
};
