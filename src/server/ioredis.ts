/** `rejoin/server/ioredis`: the Redis store on ioredis 5 or 6. */
import type {
  RedisArgument,
  RedisConnection,
  RedisPage,
  RedisSubscriber,
} from "./stores/redis/redis-connection.ts";
import {
  createRedisStore,
  type RedisResumableStreamStore,
  type RedisResumableStreamStoreOptions,
} from "./stores/redis/redis-store.ts";
import { runByHash } from "./stores/redis/script-hash.ts";

export type {
  RedisResumableStreamStore,
  RedisResumableStreamStoreOptions,
} from "./stores/redis/redis-store.ts";

type Argument = string | number | Buffer;

/** What listens: a client's duplicate. */
interface IoRedisSubscriber {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  disconnect(): void;
}

/**
 * The part of an ioredis client, or of its cluster, that the store uses. The app closes it. The store opens one more
 * connection of its own for listening, while somebody follows.
 */
export interface IoRedisLike {
  evalsha(hash: string, keyCount: number, ...args: Argument[]): Promise<unknown>;
  eval(source: string, keyCount: number, ...args: Argument[]): Promise<unknown>;
  get(key: string): Promise<string | null>;
  xrange(
    key: string,
    start: string,
    end: string,
    count: "COUNT",
    most: number,
  ): Promise<[string, string[]][]>;
  xrangeBuffer(
    key: string,
    start: string,
    end: string,
    count: "COUNT",
    most: number,
  ): Promise<[Buffer, Buffer[]][]>;
  duplicate(): IoRedisSubscriber;
}

/** Makes the store on an ioredis client or cluster. Throws `RangeError` for options that cannot be. */
export function createIoredisResumableStreamStore(
  client: IoRedisLike,
  options?: RedisResumableStreamStoreOptions,
): RedisResumableStreamStore {
  return createRedisStore(connectionOf(client), options);
}

function connectionOf(client: IoRedisLike): RedisConnection {
  return {
    run(script, keys, args) {
      const all: Argument[] = [...keys, ...args.map(argument)];
      return runByHash(
        script,
        (hash) => client.evalsha(hash, keys.length, ...all),
        (source) => client.eval(source, keys.length, ...all),
      );
    },
    async range(key, start, count, asBytes): Promise<RedisPage> {
      const entries = asBytes
        ? await client.xrangeBuffer(key, start, "+", "COUNT", count)
        : await client.xrange(key, start, "+", "COUNT", count);
      const idOf = (index: number): string | undefined => entries.at(index)?.[0].toString();
      const payloads = entries.map(([, [, payload = ""]]) => payload);
      return { firstId: idOf(0), lastId: idOf(-1), payloads };
    },
    get: (key) => client.get(key),
    async openSubscriber(onReady, onLost): Promise<RedisSubscriber> {
      const subscriber = client.duplicate();
      const listeners = new Map<string, (message: string) => void>();
      subscriber.on("error", onLost);
      subscriber.on("close", onLost);
      subscriber.on("ready", onReady);
      subscriber.on("message", (channel, message) => listeners.get(String(channel))?.(String(message)));
      return {
        async subscribe(channel, onMessage) {
          listeners.set(channel, onMessage);
          await subscriber.subscribe(channel);
        },
        async unsubscribe(channel) {
          listeners.delete(channel);
          await subscriber.unsubscribe(channel);
        },
        close: () => subscriber.disconnect(),
      };
    },
  };
}

function argument(value: RedisArgument): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
