/** Stores whose laws are tested: two instances on the same data, and what a test may do to that data behind their backs. */
import type { Cluster, Redis } from "ioredis";
import { vi } from "vitest";
import { createInMemoryResumableStreamStore } from "../../../src/server/index.ts";
import type { RedisResumableStreamStoreOptions } from "../../../src/server/redis.ts";
import { createRedisKeys } from "../../../src/server/stores/redis/keys.ts";
import type { EventStreamStore } from "../../../src/server/stores/stream-store.ts";
import type { OpenedStore } from "../../support/redis-stores.ts";

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
  /** Lets time pass, and whatever is under way go on. */
  pass(ms: number): Promise<void>;
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
    pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    async dispose() {
      store.dispose();
      vi.useRealTimers();
    },
  };
}

/**
 * A Redis store.
 *
 * @param open an instance, with a connection of its own
 * @param admin what the test does behind the stores' backs
 */
export async function redisHarness(
  open: (options: RedisResumableStreamStoreOptions) => Promise<OpenedStore>,
  admin: Redis | Cluster,
): Promise<LawHarness> {
  const keyPrefix = `laws-${crypto.randomUUID()}`;
  const keys = createRedisKeys(keyPrefix);
  const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const opened = await Promise.all([open({ keyPrefix }), open({ keyPrefix })]);
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
      await admin.hset(keys.meta(streamId), { at: Date.now() - 1_000, lease: 1 });
      while ((await stores[0].status(streamId)) === "streaming") await pass(20);
    },
    async lose(streamId, keep) {
      const meta = keys.meta(streamId);
      const generation = await admin.hget(meta, "gen");
      if (generation !== null) await admin.eval(LOSE, 2, meta, keys.data(streamId, generation), keep);
    },
    pass,
    async dispose() {
      inTouch.abort();
      for (const { close } of opened) await close();
    },
  };
}

/** Lets time pass until all has come about. */
export async function settle<T>(
  { pass }: Pick<LawHarness, "pass">,
  promises: readonly Promise<T>[],
  stepMs = 1,
): Promise<T[]> {
  let isSettled = false;
  const all = Promise.all(promises).finally(() => (isSettled = true));
  all.catch(() => {});
  while (!isSettled) await pass(stepMs);
  return all;
}

/** Reads to the end. */
async function exhaust(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _item of items);
}
