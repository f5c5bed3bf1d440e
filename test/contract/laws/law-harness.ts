/** Stores whose laws are tested: two instances on the same data, and what a test may do to that data behind their backs. */
import { createClient } from "redis";
import { vi } from "vitest";
import { createInMemoryResumableStreamStore } from "../../../src/server/index.ts";
import { createRedisKeys } from "../../../src/server/stores/redis/keys.ts";
import type { EventStreamStore } from "../../../src/server/stores/stream-store.ts";
import { openRedisStore, type RedisClientName } from "../../support/redis-stores.ts";

/** Milliseconds of the leases in these tests: far longer than a busy machine pauses, or producers are lost unasked. */
export const LEASE_MS = 60_000;

/** A store under test. */
export interface LawHarness {
  /** Two instances; the same one twice where there is only one. */
  readonly stores: readonly [EventStreamStore, EventStreamStore];
  /** Makes the stream's lease lapse, and sees that the producer is declared lost. */
  lapse(streamId: string): Promise<void>;
  /** Where the store may lose what it had: it forgets all entries after `keep`, or, at -1, the stream. */
  lose?(streamId: string, keep: number): Promise<void>;
  /** Lets whatever is under way go on. */
  tick(): Promise<void>;
  dispose(): Promise<void>;
}

/** What is lost after a stream's end is lost; so it is lost before, or not at all. */
const LOSE = `
if redis.call("HGET", KEYS[1], "st") ~= "streaming" then return 0 end
local keep = tonumber(ARGV[1])
if keep < 0 then return redis.call("DEL", KEYS[1], KEYS[2]) end
local kept = redis.call("XRANGE", KEYS[2], "-", "+", "COUNT", math.max(keep, 1))
redis.call("DEL", KEYS[2])
if keep == 0 then kept = {} end
for _, entry in ipairs(kept) do redis.call("XADD", KEYS[2], entry[1], unpack(entry[2])) end
redis.call("HSET", KEYS[1], "last", #kept)
return 1
`;

/** The memory store, on a clock of the test's. */
export async function memoryHarness(): Promise<LawHarness> {
  vi.useFakeTimers();
  const store = createInMemoryResumableStreamStore();
  return {
    stores: [store, store],
    async lapse(streamId) {
      while ((await store.status(streamId)) === "streaming") await vi.advanceTimersByTimeAsync(1_000);
    },
    tick: async () => void (await vi.advanceTimersByTimeAsync(1)),
    async dispose() {
      store.dispose();
      vi.useRealTimers();
    },
  };
}

/** The Redis store, on one of the clients. */
export async function redisHarness(url: string, client: RedisClientName): Promise<LawHarness> {
  const keyPrefix = `laws-${crypto.randomUUID()}`;
  const keys = createRedisKeys(keyPrefix);
  const admin = await createClient({ url }).connect();
  const opened = await Promise.all([
    openRedisStore(client, url, { keyPrefix }),
    openRedisStore(client, url, { keyPrefix }),
  ]);
  const stores = [opened[0].store, opened[1].store] as const;
  // Only who is in touch for a lease's time may say that a producer is lost: both are in touch, from here on.
  const inTouch = new AbortController();
  const kept = `kept-${crypto.randomUUID()}`;
  await stores[0].open(kept, { owner: null, protocol: "test" });
  for (const store of stores) void exhaust(store.follow(kept, "", inTouch.signal));
  return {
    stores,
    async lapse(streamId) {
      // The lease becomes so short that however lately the contact was interrupted, it is long enough.
      await admin.hSet(keys.meta(streamId), { at: Date.now() - 1_000, lease: 1 });
      while ((await stores[0].status(streamId)) === "streaming") await sleep(20);
    },
    async lose(streamId, keep) {
      const meta = keys.meta(streamId);
      const generation = await admin.hGet(meta, "gen");
      if (generation === null) return;
      const args = { keys: [meta, keys.data(streamId, generation)], arguments: [String(keep)] };
      await admin.eval(LOSE, args);
    },
    tick: () => sleep(1),
    async dispose() {
      inTouch.abort();
      for (const { close } of opened) await close();
      admin.destroy();
    },
  };
}

/** Reads to the end. */
async function exhaust(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _item of items);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
