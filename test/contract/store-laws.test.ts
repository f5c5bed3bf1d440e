/** Laws that hold for every store, whatever happens in whatever order. */
import fc from "fast-check";
import { Cluster, Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it, vi } from "vitest";
import { startRedisCluster, type RedisCluster } from "../support/redis-cluster.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { openClusterStore, openRedisStore, type RedisClientName } from "../support/redis-stores.ts";
import { expectExactlyOnce, interleavings } from "./laws/interleaving-law.ts";
import { memoryHarness, redisHarness, type LawHarness } from "./laws/law-harness.ts";
import { expectWholeAnswer, troubledRuns } from "./laws/producer-law.ts";
import { events, expectTable } from "./laws/table-law.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });

/** What fails, or hangs, is said with the smallest counterexample that was found in time, before the test's time is over. */
const WITHIN = { timeout: 20_000, interruptAfterTimeLimit: 200_000, markInterruptAsFailure: true } as const;

let server: RedisServer;
let cluster: RedisCluster;
let admin: Redis;
let clusterAdmin: Cluster;
beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
  admin = new Redis(server.url);
  clusterAdmin = new Cluster(cluster.ports.map((port) => ({ host: "127.0.0.1", port })));
});
afterAll(async () => {
  admin.disconnect();
  clusterAdmin.disconnect();
  await Promise.all([server.stop(), cluster.stop()]);
});

const onRedis = (client: RedisClientName) => (): Promise<LawHarness> =>
  redisHarness((options) => openRedisStore(client, server.url, options), admin);
const onCluster = (client: RedisClientName) => (): Promise<LawHarness> =>
  redisHarness((options) => openClusterStore(client, cluster.ports, options), clusterAdmin);

/** Runs of each law, and whether the store may lose what it had. */
const inMemory = { table: 1_000, interleaving: 300, producer: 500, canLose: false };
const inRedis = { table: 500, interleaving: 100, producer: 50, canLose: true };
const inCluster = { table: 200, interleaving: 30, producer: 20, canLose: true };

describe.each([
  ["the memory store", memoryHarness, inMemory],
  ["the Redis store on node-redis", onRedis("node-redis"), inRedis],
  ["the Redis store on ioredis", onRedis("ioredis"), inRedis],
  ["the Redis store on a cluster of node-redis", onCluster("node-redis"), inCluster],
  ["the Redis store on a cluster of ioredis", onCluster("ioredis"), inCluster],
] as const)("%s", (_name, makeHarness, runs) => {
  let harness: LawHarness;
  beforeEach(async () => {
    harness = await makeHarness();
  });
  afterEach(() => harness.dispose());

  it("gives for each event what the table says, and to each reader what the log has", async () => {
    await fc.assert(
      fc.asyncProperty(events, (happening) => expectTable(harness, happening)),
      { numRuns: runs.table, ...WITHIN },
    );
  });

  it("gives every reader each entry once and the same end, however writing, reading and trouble interleave", async () => {
    await fc.assert(
      fc.asyncProperty(interleavings(runs.canLose), (plan) => expectExactlyOnce(harness, plan)),
      { numRuns: runs.interleaving, ...WITHIN },
    );
  });

  it("takes each event of a source once, and tells everyone the same, through lost answers, outages and losses", async () => {
    await fc.assert(
      fc.asyncProperty(troubledRuns(runs.canLose), (plan) => expectWholeAnswer(harness, plan)),
      { numRuns: runs.producer, ...WITHIN },
    );
  });
});
