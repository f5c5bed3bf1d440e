/** What happens to streams in Redis behind the stores' backs. */
import type { Cluster, Redis } from "ioredis";
import { createRedisKeys } from "../../src/server/stores/redis/keys.ts";
import { LONG_LEASE_MS, type StreamMishap } from "../../src/testing/store-contract.ts";

/** All of them. */
export const MISHAPS: readonly StreamMishap[] = ["lapsed", "vanished"];

/** Makes a stream's lease lapse, or loses the stream. */
export async function befall(
  admin: Redis | Cluster,
  keyPrefix: string,
  streamId: string,
  mishap: StreamMishap,
): Promise<void> {
  const keys = createRedisKeys(keyPrefix);
  const meta = keys.meta(streamId);
  if (mishap === "lapsed") {
    // Who looks has not been in touch for a lease's time, and is not for the length of a test.
    await admin.hset(meta, "at", Date.now() - LONG_LEASE_MS - 1);
    return;
  }
  const generation = await admin.hget(meta, "gen");
  if (generation === null) throw new Error(`There is no stream ${streamId} to lose.`);
  await admin.del(meta, keys.data(streamId, generation));
}
