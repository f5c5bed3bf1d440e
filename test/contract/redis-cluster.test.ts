/** The Redis store, on both clients, on a real Redis Cluster. */
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterAll, beforeAll, vi } from "vitest";
import { createIoredisResumableStreamStore } from "../../src/server/ioredis.ts";
import {
  createRedisResumableStreamStore,
  type RedisResumableStreamStore,
  type RedisResumableStreamStoreOptions,
} from "../../src/server/redis.ts";
import type { EventStreamStore } from "../../src/server/stores/stream-store.ts";
import { describeStoreContract, type StoreHarness } from "../../src/testing/store-contract.ts";
import { befall, MISHAPS } from "../support/redis-mishaps.ts";
import { startRedisCluster, type RedisCluster } from "../support/redis-cluster.ts";

// Six servers have to start and to find each other, on a machine that does other things too.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

let cluster: RedisCluster;
let admin: Cluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
  admin = new Cluster(cluster.ports.map((port) => ({ host: "127.0.0.1", port })));
});
afterAll(async () => {
  admin.disconnect();
  await cluster.stop();
});

/** Redis' clock cannot be moved, so time is waited for: the contract's times are short. */
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Nothing is found out by looking now and then. */
const TOLD = { pollIntervalMs: 120_000 };
const newPrefix = (): string => `test-${crypto.randomUUID()}`;

/** Connecting to a cluster takes many connections, so its clients are shared: a prefix of its own separates each test. */
const harness = <TClient>(
  connect: () => Promise<TClient>,
  createStore: (client: TClient, options: RedisResumableStreamStoreOptions) => RedisResumableStreamStore,
  disconnect: (client: TClient) => void,
): (() => Promise<StoreHarness<EventStreamStore>>) => {
  let clients: Promise<readonly [TClient, TClient]> | undefined;
  afterAll(async () => {
    for (const client of (await clients) ?? []) disconnect(client);
  });
  return async () => {
    clients ??= Promise.all([connect(), connect()]);
    const [client, otherClient] = await clients;
    const keyPrefix = newPrefix();
    const store = createStore(client, { ...TOLD, keyPrefix });
    const other = createStore(otherClient, { ...TOLD, keyPrefix });
    return {
      store,
      other,
      pass,
      befall: (streamId, mishap) => befall(admin, keyPrefix, streamId, mishap),
      limited: async (limits) => createStore(client, { ...limits, keyPrefix: newPrefix() }),
      dispose: async () => void (await Promise.all([store.close(), other.close()])),
    };
  };
};

describeStoreContract(
  "the Redis store on a cluster of node-redis",
  harness(
    () =>
      createCluster({
        rootNodes: cluster.ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
      }).connect(),
    createRedisResumableStreamStore,
    (client) => client.destroy(),
  ),
  MISHAPS,
);

describeStoreContract(
  "the Redis store on a cluster of ioredis",
  harness(
    async () => new Cluster(cluster.ports.map((port) => ({ host: "127.0.0.1", port }))),
    createIoredisResumableStreamStore,
    (client) => client.disconnect(),
  ),
  MISHAPS,
);
