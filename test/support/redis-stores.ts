/** The Redis store on each of the clients that it takes, with a connection of its own. */
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
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
  if (client === "ioredis") {
    const redis = new Redis(url, { lazyConnect: true });
    redis.on("error", () => {});
    await redis.connect();
    return opened(createIoredisResumableStreamStore(redis, options), () => redis.disconnect());
  }
  const redis = createClient({ url });
  redis.on("error", () => {});
  await redis.connect();
  return opened(createRedisResumableStreamStore(redis, options), () => redis.destroy());
}

/** The same, on a cluster of which some ports are known. */
export async function openClusterStore(
  client: RedisClientName,
  ports: readonly number[],
  options: RedisResumableStreamStoreOptions,
): Promise<OpenedStore> {
  if (client === "ioredis") {
    const redis = new Cluster(
      ports.map((port) => ({ host: "127.0.0.1", port })),
      { lazyConnect: true },
    );
    redis.on("error", () => {});
    await redis.connect();
    return opened(createIoredisResumableStreamStore(redis, options), () => redis.disconnect());
  }
  const redis = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
  redis.on("error", () => {});
  await redis.connect();
  return opened(createRedisResumableStreamStore(redis, options), () => redis.destroy());
}

function opened(store: RedisResumableStreamStore, disconnect: () => void): OpenedStore {
  return {
    store,
    async close() {
      await store.close();
      disconnect();
    },
  };
}
