/** The Redis store, on both clients, on a real Redis. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, vi } from "vitest";
import type { RedisResumableStreamStoreOptions } from "../../src/server/redis.ts";
import { describeStoreContract } from "../../src/testing/store-contract.ts";
import { befall, MISHAPS } from "../support/redis-mishaps.ts";
import { noteKeys } from "../support/redis-rewind.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { openRedisStore, REDIS_CLIENTS } from "../support/redis-stores.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

/** Redis' clock cannot be moved, so time is waited for: the contract's times are short. */
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Nothing is found out by looking now and then. */
const TOLD = { pollIntervalMs: 120_000 };
const newPrefix = (): string => `test-${crypto.randomUUID()}`;

for (const client of REDIS_CLIENTS) {
  describeStoreContract(
    `the Redis store on ${client}`,
    async () => {
      const keyPrefix = newPrefix();
      const open = (options: RedisResumableStreamStoreOptions) => openRedisStore(client, server.url, options);
      const opened = await Promise.all([open({ ...TOLD, keyPrefix }), open({ ...TOLD, keyPrefix })]);
      const closing = [...opened];
      return {
        store: opened[0].store,
        other: opened[1].store,
        pass,
        rewind: (streamId) => noteKeys(admin, `${keyPrefix}:{${streamId}}:*`),
        befall: (streamId, mishap) => befall(admin, keyPrefix, streamId, mishap),
        async limited(limits) {
          const limited = await open({ ...limits, keyPrefix: newPrefix() });
          closing.push(limited);
          return limited.store;
        },
        dispose: async () => void (await Promise.all(closing.map(({ close }) => close()))),
      };
    },
    MISHAPS,
  );
}
