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
import { scriptedSource } from "../support/scripted-source.ts";
import { controlOf, eventsOf, payloadsOf, readEvents } from "../support/sse-client.ts";
import { sseOf, textPayloads, textProtocol } from "../support/text-protocol.ts";

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

/** A stream that is produced on one instance and followed there and on the other; resolves with what both were told. */
async function produce(producer: ResumableStreamContext, other: ResumableStreamContext, streamId: string) {
  const source = scriptedSource();
  const own = new Response(
    await producer.run(streamId, source.make, { protocol: textProtocol, owner: null, control: true }),
  );
  const followed = Promise.all([
    readEvents(own),
    readEvents(new Response(await other.requireResume(streamId, { control: true }))),
  ]);
  return { source, followed };
}

async function expectWhole(followed: Promise<Awaited<ReturnType<typeof readEvents>>[]>): Promise<void> {
  for (const events of await followed) {
    expect(payloadsOf(events)).toEqual(words);
    expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const reached = (store: RedisResumableStreamStore, streamId: string, seq: number): Promise<void> =>
  until(async () => ((await store.inspect(streamId))?.lastSeq ?? 0) >= seq);

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
    const { source, followed } = await produce(producer.context, other.context, "s");
    source.write(sseOf(words.slice(0, 20)));
    await reached(other.store, "s", 20);
    const { replica } = await holdersOf("s");
    await replica?.command("CLUSTER", "FAILOVER");
    source.write(sseOf(words.slice(20, 40)));
    await promoted("s", replica);
    source.write(sseOf(words.slice(40)));
    source.end();
    await expectWhole(followed);
  });

  it("the master may be killed in the middle, for longer than the lease: nobody is condemned", async () => {
    const [producer, other] = await Promise.all([instance(openStore), instance(openStore)]);
    const { source, followed } = await produce(producer.context, other.context, "s");
    source.write(sseOf(words.slice(0, 20)));
    await reached(other.store, "s", 20);
    const { master, replica } = await holdersOf("s");
    master.crash();
    source.write(sseOf(words.slice(20, 40)));
    await promoted("s", replica);
    source.write(sseOf(words.slice(40)));
    source.end();
    await expectWhole(followed);
  });

  it("a producer that finds the promoted replica later than its followers is not condemned", async () => {
    const leaseMs = 4_000;
    const producer = await instance((options) => onNodeRedis(options, 5_000), leaseMs);
    const other = await instance(openStore, leaseMs);
    const { source, followed } = await produce(producer.context, other.context, "s");
    source.write(sseOf(words.slice(0, 20)));
    await reached(other.store, "s", 20);
    const { master, replica } = await holdersOf("s");
    master.crash();
    source.write(sseOf(words.slice(20)));
    source.end();
    await promoted("s", replica);
    await expectWhole(followed);
  });

  it("what was told while the node that is listened to was killed is not missed", async () => {
    // With such a lease nobody looks whether it has lapsed: what is not told is not found out.
    const [producer, other] = await Promise.all([instance(openStore, 120_000), instance(openStore, 120_000)]);
    await produce(other.context, other.context, "first");
    const listened = await listenedNode("first");
    const streamId = await idHeldBy((node) => node !== listened);
    const { source, followed } = await produce(producer.context, other.context, streamId);
    const response = new Response(await other.context.requireResume(streamId, { control: true }));
    const heard: string[] = [];
    const hearing = (async () => {
      for await (const event of eventsOf(response)) if (event.event === undefined) heard.push(event.data);
    })();
    source.write(sseOf(words.slice(0, 20)));
    await until(async () => heard.length === 20);
    listened.crash();
    source.write(sseOf(words.slice(20, 40)));
    await until(async () => heard.length === 40);
    source.write(sseOf(words.slice(40)));
    source.end();
    await expectWhole(followed);
    await hearing;
    expect(heard).toEqual(words);
  });

  it("replicas are not read, even where the app's client reads them: they may be behind", async () => {
    const { context, store } = await instance(openStore);
    const { source, followed } = await produce(context, context, "s");
    source.write(sseOf(words));
    source.end();
    await expectWhole(followed);
    await Promise.all(cluster.nodes.map((node) => node.command("CONFIG", "RESETSTAT")));
    const response = new Response(await context.requireResume("s", { control: true }));
    expect(payloadsOf(await readEvents(response))).toEqual(words);
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
