/**
 * What the store needs of Redis: few calls, which each client library has under its own names. An adapter is one of these
 * around a client that the app made.
 */
import type { EntryPayload } from "../stream-store.ts";
import type { RedisScript } from "./scripts/script.ts";

/** What scripts are given, and give. */
export type RedisArgument = string | Uint8Array;

/** Entries of a stream, as Redis has them, one after the other. */
export interface RedisPage {
  /** Ids of the first and the last; `undefined` where there is none. */
  readonly firstId: string | undefined;
  readonly lastId: string | undefined;
  readonly payloads: readonly EntryPayload[];
}

/** A connection that only listens, and is made anew as often as it is lost. */
export interface RedisSubscriber {
  /** Listens to a channel; resolves when Redis has confirmed it: while Redis is away that takes as long. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** Something was not told that should have been: sees whether the connection still is one, and makes it anew if not. */
  check(): void;
  /** Closes the connection, which the adapter made. Nothing is told from then on. */
  close(): void;
}

/** What happens to a connection that listens. */
export interface SubscriberEvents {
  /** All channels are listened to, or are again: what was told before was not heard. */
  onReady(): void;
  onLost(): void;
}

/** Calls of a client. All may reject with whatever the client rejects with. */
export interface RedisConnection {
  /** Runs a script by its hash, and with its source where Redis does not know it. One round trip as a rule. */
  run(script: RedisScript, keys: string[], args: readonly RedisArgument[]): Promise<unknown>;
  /** Entries of a stream from an id on, at most `count`, from a master; payloads as bytes or as text. */
  range(key: string, start: string, count: number, asBytes: boolean): Promise<RedisPage>;
  /** A value, from a master. */
  get(key: string): Promise<string | null>;
  /** Opens one more connection, for listening. It is there at once, and connected later. */
  openSubscriber(events: SubscriberEvents): RedisSubscriber;
}
