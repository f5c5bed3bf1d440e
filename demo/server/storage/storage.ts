/** Where streams and conversations are kept: in Redis where `REDIS_URL` is set, else in memory. */
import { createInMemoryResumableStreamStore, type ResumableStreamStore } from "rejoin/server";
import { ConfigError, type Environment } from "../environment.ts";
import type { Conversations } from "./conversations.ts";
import { createMemoryConversations } from "./memory-conversations.ts";

/** A place for both. */
export interface Storage {
  /** For people, at the start of the server. */
  readonly label: string;
  readonly store: ResumableStreamStore;
  readonly conversations: Conversations;
  close(): Promise<void>;
}

/** Milliseconds that an answer's stream is kept; the conversation has the answer. */
const STREAM_TTL_MS = 2 * 3_600_000;
/** Streams in memory at a time, until they expire; the store refuses one more. */
const MAX_STREAMS = 2_000;

/** Opens the storage. Throws {@link ConfigError} where `REDIS_URL` leads nowhere. */
export async function openStorage(env: Environment): Promise<Storage> {
  const url = env["REDIS_URL"];
  return url ? openRedis(url) : openMemory();
}

function openMemory(): Storage {
  const store = createInMemoryResumableStreamStore({
    maxStreams: MAX_STREAMS,
    defaultTtlMs: STREAM_TTL_MS,
  });
  return {
    label: "memory; answers live as long as this process",
    store,
    conversations: createMemoryConversations(),
    close: () => store.close(),
  };
}

async function openRedis(url: string): Promise<Storage> {
  if (!URL.canParse(url)) throw new ConfigError(`REDIS_URL must be a URL, not ${JSON.stringify(url)}.`);
  // Most visitors have no Redis: they need not wait for its client.
  const { createClient } = await import("redis");
  const { createRedisResumableStreamStore } = await import("rejoin/server/redis");
  const { createRedisConversations } = await import("./redis-conversations.ts");

  let wasConnected = false;
  const client = createClient({
    url,
    socket: {
      // At the start nobody waits for a Redis that is not there; later it is given time to come back.
      reconnectStrategy: (retries, cause) => (wasConnected ? Math.min(retries * 50, 1_000) : cause),
    },
  });
  client.on("error", (error) => {
    if (wasConnected) console.error(`Redis: ${error instanceof Error ? error.message : String(error)}`);
  });
  const { host } = new URL(url);
  try {
    await client.connect();
    wasConnected = true;
  } catch (error) {
    throw new ConfigError(`No Redis answers at ${host}, where REDIS_URL says it is.`, { cause: error });
  }
  const store = createRedisResumableStreamStore(client, {
    keyPrefix: "rejoin-demo",
    defaultTtlMs: STREAM_TTL_MS,
  });
  return {
    label: `Redis at ${host}`,
    store,
    conversations: createRedisConversations(client),
    async close() {
      await store.close();
      client.destroy();
    },
  };
}
