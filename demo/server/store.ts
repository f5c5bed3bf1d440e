/** Where the demo keeps its streams: Redis where `REDIS_URL` names one, else memory. */
import { createInMemoryResumableStreamStore, type EventStreamStore } from "rejoin/server";
import { createRedisResumableStreamStore } from "rejoin/server/redis";
import { ConfigError } from "./config.ts";

/** A store, and what is said of it. */
export interface DemoStore {
  readonly store: EventStreamStore;
  readonly label: string;
  close(): Promise<void>;
}

/** Answers kept at a time in memory, until they expire; the store refuses one more. */
const MAX_STREAMS = 2_000;
const TTL_MS = 2 * 3_600_000;

/** Opens the store. Throws `ConfigError` where Redis is not reached. */
export async function openStore(env: Readonly<Record<string, string | undefined>>): Promise<DemoStore> {
  const url = env["REDIS_URL"] || undefined;
  if (url === undefined) {
    const store = createInMemoryResumableStreamStore({ maxStreams: MAX_STREAMS, defaultTtlMs: TTL_MS });
    return { store, label: "memory (answers live as long as this process)", close: () => store.close() };
  }
  // Only who uses it needs it installed.
  const { createClient } = await import("redis");
  const client = createClient({ url, socket: { connectTimeout: 5_000 } });
  client.on("error", (error: Error) => console.error(`Redis: ${error.message}`));
  try {
    await client.connect();
  } catch (error) {
    throw new ConfigError(`REDIS_URL: ${error instanceof Error ? error.message : String(error)}`);
  }
  const store = createRedisResumableStreamStore(client, { keyPrefix: "rejoin-demo", defaultTtlMs: TTL_MS });
  return {
    store,
    label: `Redis at ${new URL(url).host}`,
    async close() {
      await store.close();
      client.destroy();
    },
  };
}
