/** The tails of a process, over one connection that listens: opened with the first of them, closed when there is none. */
import { ResumableStreamError } from "../../../shared/errors.ts";
import { unrefTimer } from "../../timers.ts";
import type { Attempt } from "./attempts.ts";
import type { Contact } from "./contact.ts";
import type { RedisConnection, RedisSubscriber } from "./redis-connection.ts";
import type { RedisInspection } from "./replies.ts";
import { StreamTail, type TailListener } from "./stream-tail.ts";

/** A tail that somebody listens to. */
export interface TakenTail {
  readonly tail: StreamTail;
  /** Ends the listening; the last one who does closes the tail. */
  giveBack(): void;
}

/** The tails of a process. */
export interface StreamTails {
  /**
   * The tail of a stream, read at least once since it began to listen. Whoever takes one gives it back. Throws
   * `store-unavailable` where Redis cannot be listened to or read, and when the tails are closed.
   *
   * @param generation the one that the caller knows to be there: a tail that knows of another, or of none, reads again.
   */
  take(streamId: string, listener: TailListener, generation: string | undefined): Promise<TakenTail>;
  /** Whether somebody listens to a stream. */
  has(streamId: string): boolean;
  /** Ends all tails, and the connection. */
  close(): void;
}

/** What tails need. */
export interface StreamTailsOptions {
  readonly connection: Pick<RedisConnection, "openSubscriber">;
  readonly contact: Contact;
  /** Milliseconds between two looks at a stream, to be sure. */
  readonly checkMs: number;
  /** The channel of a stream, as Redis names it. */
  readonly channelOf: (streamId: string) => Promise<string>;
  /**
   * Reads the state of a stream; where its lease has lapsed and this process may say so, ends it first.
   *
   * @param known a generation that was there: an older one is none.
   */
  readonly inspect: (streamId: string, known: string | undefined) => Promise<RedisInspection>;
  readonly attempt: Attempt;
}

/** A tail, and what came of its beginning. */
interface Begun {
  readonly tail: StreamTail;
  /** Resolves when it was read for the first time. */
  readonly beginning: Promise<void>;
}

/** The connection is closed when nobody has needed it for this long. */
const IDLE_MS = 5_000;

/** Makes the tails of a process. Nothing is opened until one is taken. */
export function createStreamTails(options: StreamTailsOptions): StreamTails {
  const { connection, contact, checkMs, channelOf, inspect, attempt } = options;
  const tails = new Map<string, Begun>();
  /** Channels that are being left: a client may take a new subscription for the one that it is about to end. */
  const leaving = new Map<string, Promise<unknown>>();
  let subscriber: RedisSubscriber | undefined;
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  function openSubscriber(): RedisSubscriber {
    clearTimeout(idleTimer);
    subscriber ??= connection.openSubscriber({ onReady, onLost: () => contact.end() });
    return subscriber;
  }

  function onReady(): void {
    contact.begin();
    // What was told meanwhile was not heard.
    for (const { tail } of tails.values()) tail.refresh().catch(() => {});
  }

  function closeSubscriber(): void {
    clearTimeout(idleTimer);
    subscriber?.close();
    subscriber = undefined;
    contact.end();
  }

  function begin(streamId: string): Begun {
    const tail = new StreamTail({
      checkMs,
      patienceMs: (leaseMs) => contact.patienceMs(leaseMs),
      inspect: (known) => inspect(streamId, known),
      onUntold: () => subscriber?.check(),
    });
    const begun: Begun = { tail, beginning: listen(streamId, tail) };
    tails.set(streamId, begun);
    // Whoever comes next begins anew.
    begun.beginning.catch(() => discard(streamId, begun));
    return begun;
  }

  async function listen(streamId: string, tail: StreamTail): Promise<void> {
    const open = openSubscriber();
    await leaving.get(streamId);
    const channel = await channelOf(streamId);
    await attempt(() => open.subscribe(channel, (message) => tail.hear(message)));
    // Only what is told from now on is heard, so what was before is read.
    await tail.refresh();
  }

  function discard(streamId: string, begun: Begun): void {
    if (tails.get(streamId) !== begun) return;
    tails.delete(streamId);
    begun.tail.close();
    const open = subscriber;
    if (open === undefined) return;
    const left = channelOf(streamId)
      .then((channel) => attempt(() => open.unsubscribe(channel)))
      .catch(() => {})
      .finally(() => {
        if (leaving.get(streamId) === left) leaving.delete(streamId);
      });
    leaving.set(streamId, left);
    if (tails.size > 0) return;
    clearTimeout(idleTimer);
    idleTimer = setTimeout(closeSubscriber, IDLE_MS);
    unrefTimer(idleTimer);
  }

  return {
    has: (streamId) => tails.has(streamId),
    async take(streamId, listener, generation) {
      if (closed) throw new ResumableStreamError("store-unavailable", "The store is closed.");
      const begun = tails.get(streamId) ?? begin(streamId);
      const { tail } = begun;
      const unlisten = tail.listen(listener);
      const giveBack = (): void => {
        unlisten();
        if (tail.size === 0) discard(streamId, begun);
      };
      try {
        await begun.beginning;
        // What the stream was before, a deletion perhaps, is not what the caller takes it for.
        if (generation !== undefined && tail.generation !== generation) await tail.refresh();
        return { tail, giveBack };
      } catch (error) {
        giveBack();
        throw error;
      }
    },
    close() {
      closed = true;
      for (const { tail } of tails.values()) tail.close();
      tails.clear();
      closeSubscriber();
    },
  };
}
