/** Followers are told at once, whatever client listens for them: here nothing is found out by looking now and then. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster, type RedisClientOptions } from "redis";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { createIoredisResumableStreamStore } from "../../src/server/ioredis.ts";
import { createRedisResumableStreamStore, type RedisResumableStreamStore } from "../../src/server/redis.ts";
import { createRedisKeys } from "../../src/server/stores/redis/keys.ts";
import { startRedisCluster, type RedisCluster } from "../support/redis-cluster.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";

const APP = { keyPrefix: "app:" };
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

type OpenStore = () => Promise<RedisResumableStreamStore>;

const onNodeRedis =
  (options: RedisClientOptions): OpenStore =>
  async () => {
    const client = await createClient({ url: server.url, ...options }).connect();
    cleanups.push(() => client.destroy());
    return createRedisResumableStreamStore(client, OPTIONS);
  };

const onIoredis =
  (options: { keyPrefix?: string; autoResubscribe?: boolean }): OpenStore =>
  async () => {
    const client = new Redis(server.port, options);
    cleanups.push(() => client.disconnect());
    return createIoredisResumableStreamStore(client, OPTIONS);
  };

/** A stream, and a follower of it that has read all there is. */
async function followed(store: RedisResumableStreamStore, other: RedisResumableStreamStore) {
  const id = crypto.randomUUID();
  cleanups.push(() => Promise.all([store.close(), other.close()]));
  const opening = await store.open(id, { owner: null, protocol: "test", leaseMs: 120_000 });
  if (opening.role !== "producer") throw new Error("not the producer");
  const told = other.follow(id, "", new AbortController().signal)[Symbol.asyncIterator]();
  for (let item = await told.next(); !item.done && item.value.type !== "live";) item = await told.next();
  return { id, lease: opening.lease, told };
}

const withPrefix: readonly [string, OpenStore][] = [
  ["node-redis", onNodeRedis(APP)],
  ["ioredis", onIoredis(APP)],
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

it.each(withPrefix)(
  "on %s that puts a prefix before keys a follower on another instance is told what is new, and the end",
  async (_name, openStore) => {
    const [store, other] = [await openStore(), await openStore()];
    const { id, lease, told } = await followed(store, other);
    const lost = Promise.withResolvers<unknown>();
    store.watchLease(id, lease, lost.resolve);
    const next = told.next();
    await store.appendBatch(id, lease, 1, ["{}"]);
    expect((await next).value).toEqual({ type: "entries", firstSeq: 1, payloads: ["{}"] });
    await other.stop(id);
    expect((await told.next()).value).toEqual({ type: "end", end: { status: "stopped" } });
    expect(await lost.promise).toMatchObject({ verdict: "ended" });
  },
);

const plain: readonly [string, OpenStore][] = [
  ["node-redis", onNodeRedis({})],
  ["ioredis", onIoredis({})],
  ["ioredis that does not subscribe again by itself", onIoredis({ autoResubscribe: false })],
];

it.each(plain)("on %s a follower misses nothing when its connection is cut", async (_name, openStore) => {
  const [store, other] = [await openStore(), await openStore()];
  const { id, lease, told } = await followed(store, other);
  const admin = await createClient({ url: server.url }).connect();
  cleanups.push(() => admin.destroy());
  for (let seq = 1; seq <= 10; seq += 1) {
    const next = told.next();
    await admin.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"]);
    await store.appendBatch(id, lease, seq, [`{"n":${seq}}`]);
    expect((await next).value).toEqual({ type: "entries", firstSeq: seq, payloads: [`{"n":${seq}}`] });
  }
});

/** A way to Redis whose connections, in the order in which they were made, a test can freeze: they stand, and nothing goes through any more. */
async function startWay() {
  const freeze: (() => void)[] = [];
  const way = createServer((socket) => {
    const upstream = connect(server.port, "127.0.0.1");
    for (const end of [socket, upstream]) end.on("error", () => {});
    socket.pipe(upstream).pipe(socket);
    freeze.push(() => {
      socket.unpipe();
      upstream.unpipe();
    });
    cleanups.push(
      () => upstream.destroy(),
      () => socket.destroy(),
    );
  });
  way.listen(0, "127.0.0.1");
  await once(way, "listening");
  cleanups.push(() => way.close());
  const address = way.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return { port, freeze };
}

const overWay: readonly [string, (port: number) => Promise<RedisResumableStreamStore>][] = [
  [
    "node-redis",
    async (port) => {
      const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
      cleanups.push(() => client.destroy());
      return createRedisResumableStreamStore(client, { pollIntervalMs: 2_500 });
    },
  ],
  [
    "ioredis",
    async (port) => {
      const client = new Redis(port);
      cleanups.push(() => client.disconnect());
      return createIoredisResumableStreamStore(client, { pollIntervalMs: 2_500 });
    },
  ],
];

it.each(overWay)(
  "on %s a connection on which nothing comes any more, though it stands, is made anew, and no other",
  async (_name, openOver) => {
    const way = await startWay();
    const [store, other] = [await onNodeRedis({})(), await openOver(way.port)];
    const { id, lease, told } = await followed(store, other);
    const made = way.freeze.length;
    // What nobody tells is found out by looking; the connection is asked, and answers.
    const admin = await createClient({ url: server.url }).connect();
    cleanups.push(() => admin.destroy());
    const keys = createRedisKeys("rejoin");
    for (const seq of [1, 2]) {
      const looked = told.next();
      await admin.xAdd(keys.data(id, lease.token), `${seq}-0`, { p: "{}" });
      await admin.hSet(keys.meta(id), "last", seq);
      expect((await looked).value).toMatchObject({ firstSeq: seq });
    }
    expect(way.freeze.length).toBe(made);
    // The last that was made is the one that listens.
    way.freeze.at(-1)?.();
    const next = told.next();
    await store.appendBatch(id, lease, 3, ["{}"]);
    expect((await next).value).toMatchObject({ firstSeq: 3 });
    await vi.waitUntil(() => way.freeze.length > made, { timeout: 10_000 });
  },
  20_000,
);

it.each(plain)("on %s nobody listens any more when the store is closed", async (_name, openStore) => {
  const [store, other] = [await openStore(), await openStore()];
  const admin = await createClient({ url: server.url }).connect();
  cleanups.push(() => admin.destroy());
  await Promise.all([store.status("s"), other.status("s")]);
  const connections = async () => (await admin.clientList()).length;
  const before = await connections();
  await followed(store, other);
  expect(await connections()).toBe(before + 1);
  await other.close();
  await vi.waitUntil(async () => (await connections()) === before);
});
