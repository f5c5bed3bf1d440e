/** A client that puts a prefix of its own before all keys: followers are told at once all the same. */
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createIoredisResumableStreamStore } from "../../src/server/ioredis.ts";
import { createRedisResumableStreamStore, type RedisResumableStreamStore } from "../../src/server/redis.ts";
import { startRedisCluster, type RedisCluster } from "../support/redis-cluster.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";

const APP = { keyPrefix: "app:" };
/** Nothing is found out by looking now and then. */
const OPTIONS = { pollIntervalMs: 120_000 };

let server: RedisServer;
let cluster: RedisCluster;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
}, 30_000);
afterAll(() => Promise.all([server.stop(), cluster.stop()]));
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const openStores: readonly [string, () => Promise<RedisResumableStreamStore>][] = [
  [
    "node-redis",
    async () => {
      const client = await createClient({ url: server.url, ...APP }).connect();
      cleanups.push(() => client.destroy());
      return createRedisResumableStreamStore(client, OPTIONS);
    },
  ],
  [
    "ioredis",
    async () => {
      const client = new Redis(server.port, APP);
      cleanups.push(() => client.disconnect());
      return createIoredisResumableStreamStore(client, OPTIONS);
    },
  ],
  [
    "a cluster of node-redis",
    async () => {
      const rootNodes = cluster.ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));
      const client = await createCluster({ rootNodes, ...APP }).connect();
      cleanups.push(() => client.destroy());
      return createRedisResumableStreamStore(client, OPTIONS);
    },
  ],
  [
    "a cluster of ioredis",
    async () => {
      const nodes = cluster.ports.map((port) => ({ host: "127.0.0.1", port }));
      const client = new Cluster(nodes, APP);
      cleanups.push(() => client.disconnect());
      return createIoredisResumableStreamStore(client, OPTIONS);
    },
  ],
];

it.each(openStores)(
  "on %s a follower on another instance is told what is new, and the end",
  async (_name, openStore) => {
    const id = crypto.randomUUID();
    const [store, other] = [await openStore(), await openStore()];
    cleanups.push(() => Promise.all([store.close(), other.close()]));
    const opening = await store.open(id, { owner: null, protocol: "test", leaseMs: 120_000 });
    if (opening.role !== "producer") throw new Error("not the producer");
    const lost = Promise.withResolvers<unknown>();
    store.watchLease(id, opening.lease, lost.resolve);
    const told = other.follow(id, "", new AbortController().signal)[Symbol.asyncIterator]();
    for (let item = await told.next(); !item.done && item.value.type !== "live";) item = await told.next();
    const next = told.next();
    await store.appendBatch(id, opening.lease, 1, ["{}"]);
    expect((await next).value).toEqual({ type: "entries", firstSeq: 1, payloads: ["{}"] });
    await other.stop(id);
    expect((await told.next()).value).toEqual({ type: "end", end: { status: "stopped" } });
    expect(await lost.promise).toMatchObject({ verdict: "ended" });
  },
);
