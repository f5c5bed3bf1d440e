/** `rejoin/server/ioredis`: the Redis store on ioredis 5 or 6. */
import type { RedisArgument, RedisConnection, RedisPage } from "./stores/redis/redis-connection.ts";
import {
  createRedisStore,
  type RedisResumableStreamStore,
  type RedisResumableStreamStoreOptions,
} from "./stores/redis/redis-store.ts";
import {
  openRoamingSubscriber,
  type NodeListener,
  type NodeListenerEvents,
} from "./stores/redis/roaming-subscriber.ts";
import { pageOf } from "./stores/redis/replies.ts";
import { getFromMaster } from "./stores/redis/scripts/get-from-master.ts";
import { rangeFromMaster } from "./stores/redis/scripts/range-from-master.ts";
import type { RedisScript } from "./stores/redis/scripts/script.ts";
import { runByHash } from "./stores/redis/script-hash.ts";

export type {
  RedisResumableStreamStore,
  RedisResumableStreamStoreOptions,
} from "./stores/redis/redis-store.ts";

type Argument = string | number | Buffer;

/** What listens: a client's duplicate. */
interface IoRedisSubscriber {
  connect(): Promise<unknown>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** The connection. */
  readonly stream?: { unref?(): unknown };
  disconnect(): void;
}

/** Scripts, on a client or a cluster. */
interface IoRedisScripting {
  evalsha(hash: string, keyCount: number, ...args: Argument[]): Promise<unknown>;
  eval(source: string, keyCount: number, ...args: Argument[]): Promise<unknown>;
}

/** What can be listened on: a client, or one of a cluster's nodes. */
interface IoRedisNode {
  duplicate(options: {
    lazyConnect: boolean;
    autoResubscribe: boolean;
    retryStrategy: () => null;
  }): IoRedisSubscriber;
}

/** The part of an ioredis client that the store uses. */
export interface IoRedisClientLike extends IoRedisScripting, IoRedisNode {
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
}

/** The part of an ioredis cluster that the store uses. */
export interface IoRedisClusterLike extends IoRedisScripting {
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>;
  nodes(): readonly IoRedisNode[];
}

/**
 * An ioredis client, or cluster. The app closes it. The store opens one more connection of its own for listening, while
 * somebody follows.
 */
export type IoRedisLike = IoRedisClientLike | IoRedisClusterLike;

/** Makes the store on an ioredis client or cluster. Throws `RangeError` for options that cannot be. */
export function createIoredisResumableStreamStore(
  client: IoRedisLike,
  options?: RedisResumableStreamStoreOptions,
): RedisResumableStreamStore {
  return createRedisStore("nodes" in client ? clusterOf(client) : connectionOf(client), options);
}

function connectionOf(client: IoRedisClientLike): RedisConnection {
  return {
    run: (script, keys, args) => run(client, script, keys, args),
    async range(key, start, count, asBytes): Promise<RedisPage> {
      const entries = asBytes
        ? await client.xrangeBuffer(key, start, "+", "COUNT", count)
        : await client.xrange(key, start, "+", "COUNT", count);
      const idOf = (index: number): string | undefined => entries.at(index)?.[0].toString();
      const payloads = entries.map(([, [, payload = ""]]) => payload);
      return { firstId: idOf(0), lastId: idOf(-1), payloads };
    },
    get: (key) => client.get(key),
    openSubscriber: (events) =>
      openRoamingSubscriber(
        {
          count: () => 1,
          connect: (_index, nodeEvents, signal) => listenOn(client, nodeEvents, signal, () => true),
        },
        events,
      ),
  };
}

function clusterOf(cluster: IoRedisClusterLike): RedisConnection {
  const binary: IoRedisScripting = {
    evalsha: (hash, keyCount, ...args) => cluster.callBuffer("evalsha", hash, keyCount, ...args),
    eval: (source, keyCount, ...args) => cluster.callBuffer("eval", source, keyCount, ...args),
  };
  return {
    run: (script, keys, args) => run(cluster, script.onCluster ?? script, keys, args),
    range: async (key, start, count, asBytes) =>
      pageOf(await run(asBytes ? binary : cluster, rangeFromMaster, [key], [start, String(count)])),
    async get(key) {
      const value = await run(cluster, getFromMaster, [key], []);
      return typeof value === "string" ? value : null;
    },
    openSubscriber: (events) =>
      openRoamingSubscriber(
        {
          count: () => cluster.nodes().length,
          async connect(index, nodeEvents, signal) {
            const node = cluster.nodes()[index];
            if (node === undefined) throw new Error("The cluster's client knows no node.");
            return listenOn(node, nodeEvents, signal, () => cluster.nodes().includes(node));
          },
        },
        events,
      ),
  };
}

/** Connects once more, for listening. */
async function listenOn(
  node: IoRedisNode,
  { onMessage, onLost }: NodeListenerEvents,
  signal: AbortSignal,
  isMember: () => boolean,
): Promise<NodeListener> {
  signal.throwIfAborted();
  const subscriber = node.duplicate({
    lazyConnect: true,
    autoResubscribe: false,
    retryStrategy: () => null,
  });
  // The end follows, and says enough.
  subscriber.on("error", () => {});
  subscriber.on("end", onLost);
  // Whether the process goes on is for the app's own connection to say.
  subscriber.on("connect", () => void subscriber.stream?.unref?.());
  subscriber.on("message", (channel, message) => onMessage(String(channel), String(message)));
  signal.addEventListener("abort", () => subscriber.disconnect(), { once: true });
  await subscriber.connect();
  return {
    subscribe: (channels) => subscriber.subscribe(...channels),
    unsubscribe: (channel) => subscriber.unsubscribe(channel),
    ping: () => subscriber.ping(),
    isMember,
  };
}

function run(
  client: IoRedisScripting,
  script: RedisScript,
  keys: string[],
  args: readonly RedisArgument[],
): Promise<unknown> {
  const all: Argument[] = [...keys, ...args.map(argument)];
  return runByHash(
    script,
    (hash) => client.evalsha(hash, keys.length, ...all),
    (source) => client.eval(source, keys.length, ...all),
  );
}

function argument(value: RedisArgument): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
