/** `rejoin/server/redis`: the Redis store on node-redis 5 or 6. */
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

type CommandArguments = (string | Buffer)[];

/** What listens: a client's duplicate. */
interface NodeRedisSubscriber {
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string, channel: string) => unknown): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  destroy(): unknown;
}

/**
 * The part of a node-redis client, or of its cluster, that the store uses. It must be connected; the app closes it. The
 * store opens one more connection of its own for listening, while somebody follows.
 */
export interface NodeRedisLike {
  evalSha(hash: string, options: { keys: string[]; arguments: CommandArguments }): Promise<unknown>;
  eval(source: string, options: { keys: string[]; arguments: CommandArguments }): Promise<unknown>;
  get(key: string): Promise<unknown>;
  xRange(
    key: string,
    start: string,
    end: string,
    options: { COUNT: number },
  ): Promise<readonly { id: unknown; message: { readonly [field: string]: unknown } }[] | null>;
  withCommandOptions(
    options: NodeRedisCommandOptions,
  ): Omit<NodeRedisLike, "withCommandOptions" | "duplicate">;
  duplicate(): NodeRedisSubscriber;
}

/** The part of a client's command options that the store sets. */
interface NodeRedisCommandOptions {
  timeout?: number;
  typeMapping?: { [BLOB_STRING]?: typeof Buffer };
}

/** RESP type of strings of any bytes: `$`. */
const BLOB_STRING = 36;
/** The store bounds its commands by itself; the client's way takes a timer and a signal for each. */
const NO_TIMEOUT = 0;

/** Makes the store on a node-redis client or cluster. Throws `RangeError` for options that cannot be. */
export function createRedisResumableStreamStore(
  client: NodeRedisLike,
  options?: RedisResumableStreamStoreOptions,
): RedisResumableStreamStore {
  return createRedisStore(connectionOf(client), options);
}

function connectionOf(app: NodeRedisLike): RedisConnection {
  const client = app.withCommandOptions({ timeout: NO_TIMEOUT });
  const binary = app.withCommandOptions({ timeout: NO_TIMEOUT, typeMapping: { [BLOB_STRING]: Buffer } });
  return {
    run(script, keys, args) {
      const call = { keys, arguments: args.map(argument) };
      return runByHash(
        script,
        (hash) => client.evalSha(hash, call),
        (source) => client.eval(source, call),
      );
    },
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
    async openSubscriber(onReady, onLost): Promise<RedisSubscriber> {
      const subscriber = app.duplicate();
      // Without a listener an error of the connection would end the process; the client reconnects by itself.
      subscriber.on("error", onLost);
      subscriber.on("reconnecting", onLost);
      subscriber.on("ready", onReady);
      await subscriber.connect();
      // A cluster tells nothing of its connections.
      onReady();
      return {
        async subscribe(channel, onMessage) {
          await subscriber.subscribe(channel, (message) => onMessage(message));
        },
        async unsubscribe(channel) {
          await subscriber.unsubscribe(channel);
        },
        close() {
          try {
            subscriber.destroy();
          } catch {
            // It was closed already.
          }
        },
      };
    },
  };
}

function argument(value: RedisArgument): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
