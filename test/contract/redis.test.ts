/** The Redis store, on both clients, on a real Redis. */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, vi } from "vitest";
import { createIoredisResumableStreamStore } from "../../src/server/ioredis.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { describeStoreContract } from "../../src/testing/store-contract.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** Redis' clock cannot be moved, so time is waited for: the contract's times are short. */
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const newPrefix = (): string => `test-${crypto.randomUUID()}`;

describeStoreContract("the Redis store on node-redis", async () => {
  const clients = await Promise.all([
    createClient({ url: server.url }).connect(),
    createClient({ url: server.url }).connect(),
  ]);
  const keyPrefix = newPrefix();
  const [store, other] = clients.map((client) => createRedisResumableStreamStore(client, { keyPrefix }));
  if (store === undefined || other === undefined) throw new Error("no store");
  return {
    store,
    other,
    pass,
    limited: async (limits) =>
      createRedisResumableStreamStore(clients[0], { ...limits, keyPrefix: newPrefix() }),
    async dispose() {
      await Promise.all([store.close(), other.close()]);
      for (const client of clients) client.destroy();
    },
  };
});

describeStoreContract("the Redis store on ioredis", async () => {
  const clients = [new Redis(server.port), new Redis(server.port)] as const;
  const keyPrefix = newPrefix();
  const [store, other] = clients.map((client) => createIoredisResumableStreamStore(client, { keyPrefix }));
  if (store === undefined || other === undefined) throw new Error("no store");
  return {
    store,
    other,
    pass,
    limited: async (limits) =>
      createIoredisResumableStreamStore(clients[0], { ...limits, keyPrefix: newPrefix() }),
    async dispose() {
      await Promise.all([store.close(), other.close()]);
      for (const client of clients) client.disconnect();
    },
  };
});
