/** How long followers on other instances are left without a word about a producer whose process was killed. */
import { createClient } from "redis";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { createRedisKeys } from "../../src/server/stores/redis/keys.ts";
import { startProducer } from "../../test/support/producer-process.ts";
import { ms, type Measure } from "../lib/report.ts";
import { percentile } from "../lib/statistics.ts";

const PRODUCERS = 10;
const LEASE_MS = 3_000;
const FOLLOWERS = 3;
const keyPrefix = "lost";
const keys = createRedisKeys(keyPrefix);

export const measure: Measure = async (url) => {
  const instances = await Promise.all(
    Array.from({ length: 2 }, async () => {
      const client = await createClient({ url }).connect();
      const store = createRedisResumableStreamStore(client, { keyPrefix });
      return { client, store, context: createResumableStreamContext({ store, leaseMs: LEASE_MS }) };
    }),
  );
  const admin = await createClient({ url }).connect();
  const sinceKillMs: number[] = [];
  const sinceRenewalMs: number[] = [];
  for (let round = 0; round < PRODUCERS; round += 1) {
    const streamId = `s-${round}`;
    // Silent from its start on, so that only renewals tell of its life.
    const producer = await startProducer({
      client: "node-redis",
      url,
      keyPrefix,
      streamId,
      leaseMs: LEASE_MS,
      words: 1,
      everyMs: 1_000_000,
    });
    const told = instances.flatMap(({ store }) =>
      Array.from({ length: FOLLOWERS }, async () => {
        const signal = new AbortController().signal;
        for await (const item of store.follow(streamId, "", signal))
          if (item.type === "end" && item.end.error?.code === "producer-lost") return Date.now();
        throw new Error("A follower was not told that the producer was lost.");
      }),
    );
    // At any time between two renewals.
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS + (LEASE_MS / PRODUCERS) * round));
    producer.kill("SIGKILL");
    const killedMs = Date.now();
    const renewedMs = Number(await admin.hGet(keys.meta(streamId), "at"));
    for (const toldMs of await Promise.all(told)) {
      sinceKillMs.push(toldMs - killedMs);
      sinceRenewalMs.push(toldMs - renewedMs);
    }
  }
  admin.destroy();
  for (const { client, store, context } of instances) {
    await context.close();
    await store.close();
    client.destroy();
  }
  const most = Math.max(...sinceRenewalMs);
  const barMs = LEASE_MS + 1_000;
  return {
    title: "A producer is killed",
    how:
      `From the last renewal, and from SIGKILL, of a silent producer with a lease of ${ms(LEASE_MS)} until followers on ` +
      `two other instances are told, ${PRODUCERS} times, ${FOLLOWERS} followers each.`,
    figures: [
      { what: "since SIGKILL, p50", rejoin: ms(percentile(sinceKillMs, 0.5)) },
      { what: "since the last renewal, p50", rejoin: ms(percentile(sinceRenewalMs, 0.5)) },
      {
        what: "since the last renewal, at most",
        rejoin: ms(most),
        bar: "<= leaseMs + 1 s",
        isMet: most <= barMs,
      },
    ],
  };
};
