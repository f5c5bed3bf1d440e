/** The Redis store on each of the clients that it takes, with a connection of its own. */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { createIoredisResumableStreamStore } from "../../src/server/ioredis.ts";
import {
  createRedisResumableStreamStore,
  type RedisResumableStreamStore,
  type RedisResumableStreamStoreOptions,
} from "../../src/server/redis.ts";

/** The clients, by name. */
export const REDIS_CLIENTS = ["node-redis", "ioredis"] as const;
export type RedisClientName = (typeof REDIS_CLIENTS)[number];

/** A store, and the connection that it is on. */
export interface OpenedStore {
  readonly store: RedisResumableStreamStore;
  /** Closes both. */
  close(): Promise<void>;
}

/** Connects, and makes a store on that connection. Its errors are the store's to tell. */
export async function openRedisStore(
  client: RedisClientName,
  url: string,
  options: RedisResumableStreamStoreOptions,
): Promise<OpenedStore> {
  const { store, disconnect } = await connect(client, url, options);
  return {
    store,
    async close() {
      await store.close();
      disconnect();
    },
  };
}

async function connect(client: RedisClientName, url: string, options: RedisResumableStreamStoreOptions) {
  if (client === "ioredis") {
    const redis = new Redis(url, { lazyConnect: true });
    redis.on("error", () => {});
    await redis.connect();
    return { store: createIoredisResumableStreamStore(redis, options), disconnect: () => redis.disconnect() };
  }
  const redis = createClient({ url });
  redis.on("error", () => {});
  await redis.connect();
  return { store: createRedisResumableStreamStore(redis, options), disconnect: () => redis.destroy() };
}
