/** Laws that hold for every store, whatever happens in whatever order. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it, vi } from "vitest";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { expectExactlyOnce, interleavings } from "./laws/interleaving-law.ts";
import { memoryHarness, redisHarness, type LawHarness } from "./laws/law-harness.ts";
import { events, expectTable } from "./laws/table-law.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 30_000 });

/** What fails, or hangs, is said with the smallest counterexample that was found in time, before the test's time is over. */
const WITHIN = { timeout: 20_000, interruptAfterTimeLimit: 200_000, markInterruptAsFailure: true } as const;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe.each([
  ["the memory store", memoryHarness, 300, false],
  ["the Redis store on node-redis", () => redisHarness(server.url, "node-redis"), 100, true],
  ["the Redis store on ioredis", () => redisHarness(server.url, "ioredis"), 100, true],
] as const)("%s", (_name, makeHarness, numRuns, canLose) => {
  let harness: LawHarness;
  beforeEach(async () => {
    harness = await makeHarness();
  });
  afterEach(() => harness.dispose());

  it("gives for each event what the table says, and to each reader what the log has", async () => {
    await fc.assert(
      fc.asyncProperty(events, (happening) => expectTable(harness, happening)),
      { numRuns: 500, ...WITHIN },
    );
  });

  it("gives every reader each entry once and the same end, however writing, reading and trouble interleave", async () => {
    await fc.assert(
      fc.asyncProperty(interleavings(canLose), (plan) => expectExactlyOnce(harness, plan)),
      { numRuns, ...WITHIN },
    );
  });
});
