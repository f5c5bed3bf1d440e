/** `rejoin/server/redis`: the Redis store on node-redis 5 or 6. */
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

type CommandArguments = (string | Buffer)[];

/** What listens: a client's duplicate. */
interface NodeRedisSubscriber {
  connect(): Promise<unknown>;
  subscribe(channels: string[], listener: (message: string, channel: string) => unknown): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  /** Lets the process end while it is open: whether it goes on is for the app's own connection to say. */
  unref?(): unknown;
  destroy(): unknown;
}

/** Scripts, on a client or a cluster. */
interface NodeRedisScripting {
  evalSha(hash: string, options: { keys: string[]; arguments: CommandArguments }): Promise<unknown>;
  eval(source: string, options: { keys: string[]; arguments: CommandArguments }): Promise<unknown>;
}

/** The part of a connected node-redis client that the store uses. */
export interface NodeRedisClientLike extends NodeRedisScripting {
  get(key: string): Promise<unknown>;
  xRange(
    key: string,
    start: string,
    end: string,
    options: { COUNT: number },
  ): Promise<readonly { id: unknown; message: { readonly [field: string]: unknown } }[] | null>;
  withCommandOptions(
    options: NodeRedisCommandOptions,
  ): Omit<NodeRedisClientLike, "withCommandOptions" | "duplicate">;
  duplicate(): NodeRedisSubscriber;
}

/**
 * The part of a connected node-redis cluster that the store uses. When a master is lost, node-redis 6 looks for the replica
 * that took its place after 5 s, or `topologyRefreshOnReconnectionAttemptStrategy`; node-redis 5 waits for the master.
 */
export interface NodeRedisClusterLike extends NodeRedisScripting {
  withCommandOptions(options: NodeRedisCommandOptions): NodeRedisScripting;
  readonly masters: readonly { readonly address: string }[];
  nodeClient(node: { readonly address: string }): Promise<{ duplicate(): NodeRedisSubscriber }>;
}

/**
 * A node-redis client, or cluster. It must be connected; the app closes it. The store opens one more connection of its own
 * for listening, while somebody follows.
 */
export type NodeRedisLike = NodeRedisClientLike | NodeRedisClusterLike;

/** The command options that the store sets. */
interface NodeRedisCommandOptions {
  timeout?: number;
  typeMapping?: { [BLOB_STRING]?: typeof Buffer };
}

/** RESP type of strings of any bytes: `$`. */
const BLOB_STRING = 36;
/** The store bounds its commands by itself; the client's way takes a timer and a signal for each. */
const AS_TEXT: NodeRedisCommandOptions = { timeout: 0 };
const AS_BYTES: NodeRedisCommandOptions = { timeout: 0, typeMapping: { [BLOB_STRING]: Buffer } };

/** Makes the store on a node-redis client or cluster. Throws `RangeError` for options that cannot be. */
export function createRedisResumableStreamStore(
  client: NodeRedisLike,
  options?: RedisResumableStreamStoreOptions,
): RedisResumableStreamStore {
  return createRedisStore("masters" in client ? clusterOf(client) : connectionOf(client), options);
}

function connectionOf(app: NodeRedisClientLike): RedisConnection {
  const client = app.withCommandOptions(AS_TEXT);
  const binary = app.withCommandOptions(AS_BYTES);
  return {
    run: (script, keys, args) => run(client, script, keys, args),
    async range(key, start, count, asBytes): Promise<RedisPage> {
      const entries = (await (asBytes ? binary : client).xRange(key, start, "+", { COUNT: count })) ?? [];
      const idOf = (index: number): string | undefined =>
        entries.length === 0 ? undefined : String(entries.at(index)?.id);
      const payloads = entries.map(({ message: { p } }) => (p instanceof Uint8Array ? p : String(p)));
      return { firstId: idOf(0), lastId: idOf(-1), payloads };
    },
    async get(key) {
      const value = await client.get(key);
      return typeof value === "string" ? value : null;
    },
    openSubscriber: (events) =>
      openRoamingSubscriber(
        {
          count: () => 1,
          connect: (_index, nodeEvents, signal) => listenOn(app, nodeEvents, signal, () => true),
        },
        events,
      ),
  };
}

function clusterOf(cluster: NodeRedisClusterLike): RedisConnection {
  const text = cluster.withCommandOptions(AS_TEXT);
  const binary = cluster.withCommandOptions(AS_BYTES);
  return {
    run: (script, keys, args) => run(text, script.onCluster ?? script, keys, args),
    range: async (key, start, count, asBytes) =>
      pageOf(await run(asBytes ? binary : text, rangeFromMaster, [key], [start, String(count)])),
    async get(key) {
      const value = await run(text, getFromMaster, [key], []);
      return typeof value === "string" ? value : null;
    },
    openSubscriber: (events) =>
      openRoamingSubscriber(
        {
          count: () => cluster.masters.length,
          async connect(index, nodeEvents, signal) {
            const node = cluster.masters[index];
            if (node === undefined) throw new Error("The cluster's client is not connected.");
            const client = await cluster.nodeClient(node);
            const isMember = (): boolean => cluster.masters.some(({ address }) => address === node.address);
            return listenOn(client, nodeEvents, signal, isMember);
          },
        },
        events,
      ),
  };
}

/** Connects once more, for listening. */
async function listenOn(
  client: { duplicate(): NodeRedisSubscriber },
  { onMessage, onLost }: NodeListenerEvents,
  signal: AbortSignal,
  isMember: () => boolean,
): Promise<NodeListener> {
  signal.throwIfAborted();
  const subscriber = client.duplicate();
  // Whether the process goes on is for the app's own connection to say.
  subscriber.unref?.();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(onLost);
  // It would reconnect by itself, without end, and to a node that may be gone for good.
  const lose = (): void => {
    destroy(subscriber);
    lost.reject(new Error("The connection was lost."));
  };
  subscriber.on("error", lose);
  subscriber.on("reconnecting", lose);
  signal.addEventListener("abort", lose, { once: true });
  // One that comes about after it was destroyed is there all the same.
  const connected = subscriber.connect().then(() => signal.aborted && destroy(subscriber));
  await Promise.race([connected, lost.promise]);
  const onChannelMessage = (message: string, channel: string): void => onMessage(channel, message);
  return {
    subscribe: (channels) => subscriber.subscribe([...channels], onChannelMessage),
    unsubscribe: (channel) => subscriber.unsubscribe(channel),
    ping: () => subscriber.ping(),
    isMember,
  };
}

function run(
  client: NodeRedisScripting,
  script: RedisScript,
  keys: string[],
  args: readonly RedisArgument[],
): Promise<unknown> {
  const call = { keys, arguments: args.map(argument) };
  return runByHash(
    script,
    (hash) => client.evalSha(hash, call),
    (source) => client.eval(source, call),
  );
}

function destroy(subscriber: NodeRedisSubscriber): void {
  try {
    subscriber.destroy();
  } catch {
    // It was closed already.
  }
}

function argument(value: RedisArgument): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
