/** A cluster whose masters change in the middle of an answer: every follower ends with the exact message. */
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createResumableStreamContext, type ResumableStreamContext } from "../../src/server/index.ts";
import { createIoredisResumableStreamStore } from "../../src/server/ioredis.ts";
import {
  createRedisResumableStreamStore,
  type RedisResumableStreamStore,
  type RedisResumableStreamStoreOptions,
} from "../../src/server/redis.ts";
import { startRedisCluster, type ClusterNode, type RedisCluster } from "../support/redis-cluster.ts";
import {
  expectWhole,
  followAnswer,
  heard,
  produceAnswer,
  reached,
  until,
} from "../support/produced-answer.ts";
import { sseOf, textPayloads } from "../support/text-protocol.ts";

// Failovers and leases take real time here.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const NODE_TIMEOUT_MS = 1_000;
const LEASE_MS = 1_500;

let cluster: RedisCluster;
let keyPrefix: string;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  cluster = await startRedisCluster(NODE_TIMEOUT_MS);
});
afterAll(() => cluster.stop());
beforeEach(() => {
  keyPrefix = `failover-${crypto.randomUUID()}`;
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  await cluster.heal();
});

const words = textPayloads(...Array.from({ length: 60 }, (_, index) => `${index} `));

type OpenStore = (options: RedisResumableStreamStoreOptions) => Promise<RedisResumableStreamStore>;

/** A client of node-redis looks for promoted replicas `lateMs` after it lost a master. */
async function onNodeRedis(
  options: RedisResumableStreamStoreOptions,
  lateMs = 500,
): Promise<RedisResumableStreamStore> {
  const client = createCluster({
    rootNodes: cluster.ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
    topologyRefreshOnReconnectionAttemptStrategy: lateMs,
    useReplicas: true,
  });
  client.on("error", () => {});
  await client.connect();
  cleanups.push(() => client.destroy());
  return createRedisResumableStreamStore(client, options);
}

async function onIoredis(options: RedisResumableStreamStoreOptions): Promise<RedisResumableStreamStore> {
  const client = new Cluster(
    cluster.ports.map((port) => ({ host: "127.0.0.1", port })),
    { scaleReads: "slave" },
  );
  cleanups.push(() => client.disconnect());
  return createIoredisResumableStreamStore(client, options);
}

/** Another server instance: its own client, store and context. */
async function instance(
  openStore: OpenStore,
  leaseMs: number = LEASE_MS,
): Promise<{ context: ResumableStreamContext; store: RedisResumableStreamStore }> {
  // Nothing is found out by looking now and then.
  const store = await openStore({ keyPrefix, pollIntervalMs: 120_000 });
  const context = createResumableStreamContext({ store, leaseMs, onError: () => {} });
  cleanups.push(async () => {
    await context.close();
    await store.close();
  });
  return { context, store };
}

const holdersOf = (streamId: string) => cluster.holdersOf(`${keyPrefix}:{${streamId}}:meta`);

async function promoted(streamId: string, replica: ClusterNode | undefined): Promise<void> {
  await until(async () => (await holdersOf(streamId)).master === replica);
}

/** The node on which somebody listens to a stream, as soon as there is one. */
async function listenedNode(streamId: string): Promise<ClusterNode> {
  const channel = `${keyPrefix}:{${streamId}}:meta`;
  for (;;) {
    for (const node of cluster.nodes) {
      const reply = await node.command("PUBSUB", "NUMSUB", channel);
      if (Array.isArray(reply) && Number(reply[1]) > 0) return node;
    }
  }
}

/** Id of a stream whose master and replica both are such nodes. */
async function idHeldBy(fits: (node: ClusterNode) => boolean): Promise<string> {
  for (let count = 0; ; count += 1) {
    const { master, replica } = await holdersOf(`s-${count}`);
    if (fits(master) && (replica === undefined || fits(replica))) return `s-${count}`;
  }
}

describe.each([
  ["node-redis", onNodeRedis],
  ["ioredis", onIoredis],
])("on a cluster of %s", (_name, openStore) => {
  it("a replica may take its master's place in the middle", async () => {
    const [producer, other] = await Promise.all([instance(openStore), instance(openStore)]);
    const { source, followers } = await produceAnswer(producer.context, "s", [other.context]);
    source.write(sseOf(words.slice(0, 20)));
    await reached(other.store, "s", 20);
    const { replica } = await holdersOf("s");
    await replica?.command("CLUSTER", "FAILOVER");
    source.write(sseOf(words.slice(20, 40)));
    await promoted("s", replica);
    source.write(sseOf(words.slice(40)));
    source.end();
    await expectWhole(followers, words);
  });

  it("the master may be killed in the middle, for longer than the lease: nobody is condemned", async () => {
    const [producer, other] = await Promise.all([instance(openStore), instance(openStore)]);
    const { source, followers } = await produceAnswer(producer.context, "s", [other.context]);
    source.write(sseOf(words.slice(0, 20)));
    await reached(other.store, "s", 20);
    const { master, replica } = await holdersOf("s");
    master.crash();
    source.write(sseOf(words.slice(20, 40)));
    await promoted("s", replica);
    source.write(sseOf(words.slice(40)));
    source.end();
    await expectWhole(followers, words);
  });

  it("a producer that finds the promoted replica later than its followers is not condemned", async () => {
    const leaseMs = 4_000;
    const producer = await instance((options) => onNodeRedis(options, 5_000), leaseMs);
    const other = await instance(openStore, leaseMs);
    const { source, followers } = await produceAnswer(producer.context, "s", [other.context]);
    source.write(sseOf(words.slice(0, 20)));
    await reached(other.store, "s", 20);
    const { master, replica } = await holdersOf("s");
    master.crash();
    source.write(sseOf(words.slice(20)));
    source.end();
    await promoted("s", replica);
    await expectWhole(followers, words);
  });

  it("what was told while the node that is listened to was killed is not missed", async () => {
    // With such a lease nobody looks whether it has lapsed: what is not told is not found out.
    const [producer, other] = await Promise.all([instance(openStore, 120_000), instance(openStore, 120_000)]);
    await produceAnswer(other.context, "first", [other.context]);
    const listened = await listenedNode("first");
    const streamId = await idHeldBy((node) => node !== listened);
    const { source, followers } = await produceAnswer(producer.context, streamId, [other.context]);
    source.write(sseOf(words.slice(0, 20)));
    await heard(followers, 20);
    listened.crash();
    source.write(sseOf(words.slice(20, 40)));
    await heard(followers, 40);
    source.write(sseOf(words.slice(40)));
    source.end();
    await expectWhole(followers, words);
  });

  it("replicas are not read, even where the app's client reads them: they may be behind", async () => {
    const { context, store } = await instance(openStore);
    const { source, followers } = await produceAnswer(context, "s", [context]);
    source.write(sseOf(words));
    source.end();
    await expectWhole(followers, words);
    await Promise.all(cluster.nodes.map((node) => node.command("CONFIG", "RESETSTAT")));
    await expectWhole([await followAnswer(context, "s")], words);
    expect(await store.find("a thread key")).toBeNull();
    const counts = await Promise.all(
      cluster.nodes.map(async (node) => {
        const replication = String(await node.command("INFO", "replication"));
        const stats = String(await node.command("INFO", "commandstats"));
        return replication.includes("role:slave") ? Number(/cmdstat_(?:xrange|get|evalsha):/.test(stats)) : 0;
      }),
    );
    expect(counts).toEqual(cluster.nodes.map(() => 0));
  });
});
