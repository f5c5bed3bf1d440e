/** Stores of `assistant-stream/resumable` on a real Redis: what works with them works with ours, and the other way round. */
import { createIoredisResumableStreamStore } from "assistant-stream/resumable/ioredis";
import { createRedisResumableStreamStore } from "assistant-stream/resumable/redis";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, vi } from "vitest";
import { describeBytesStoreContract } from "../../src/testing/store-contract.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const newOptions = () => ({ keyPrefix: `theirs-${crypto.randomUUID()}` });

describeBytesStoreContract("assistant-stream's store on node-redis", async () => {
  const client = createClient({ url: server.url });
  await client.connect();
  const options = newOptions();
  return {
    store: createRedisResumableStreamStore(client, options),
    other: createRedisResumableStreamStore(client, options),
    pass,
    dispose: async () => client.destroy(),
  };
});

describeBytesStoreContract("assistant-stream's store on ioredis", async () => {
  const client = new Redis(server.url);
  const options = newOptions();
  return {
    store: createIoredisResumableStreamStore(client, options),
    other: createIoredisResumableStreamStore(client, options),
    pass,
    dispose: async () => client.disconnect(),
  };
});
