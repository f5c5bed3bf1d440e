/** The tails of a process, over one connection that listens: opened with the first of them, closed when there is none. */
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
   * The tail of a stream, read at least once since it began to listen. Whoever takes one gives it back.
   *
   * @param generation the one that the caller knows to be there: a tail that knows of another, or of none, reads again.
   */
  take(streamId: string, listener: TailListener, generation: string | undefined): Promise<TakenTail>;
  /** The tail of a stream, where somebody listens to it. */
  get(streamId: string): StreamTail | undefined;
  /** Ends all tails, and the connection. */
  close(): void;
}

/** What tails need. */
export interface StreamTailsOptions {
  readonly connection: RedisConnection;
  readonly contact: Contact;
  /** Milliseconds between two looks at a stream, to be sure. */
  readonly checkMs: number;
  /** The channel of a stream, as Redis names it. */
  readonly channelOf: (streamId: string) => Promise<string>;
  /** Reads the state of a stream; where its lease has lapsed and this process may say so, ends it first. */
  readonly inspect: (streamId: string) => Promise<RedisInspection>;
  readonly attempt: Attempt;
}

/** The connection is closed when nobody has needed it for this long. */
const IDLE_MS = 5_000;

/** Makes the tails of a process. Nothing is opened until one is taken. */
export function createStreamTails(options: StreamTailsOptions): StreamTails {
  const { connection, contact, checkMs, channelOf, inspect, attempt } = options;
  const tails = new Map<string, StreamTail>();
  /** The first reading of each tail. */
  const beginnings = new WeakMap<StreamTail, Promise<void>>();
  /** Channels that are being left: a client may take a new subscription for the one that it is about to end. */
  const leaving = new Map<string, Promise<unknown>>();
  let subscriber: Promise<RedisSubscriber> | undefined;
  let idleTimer: ReturnType<typeof setTimeout> | undefined;

  function openSubscriber(): Promise<RedisSubscriber> {
    clearTimeout(idleTimer);
    if (subscriber !== undefined) return subscriber;
    const opening = connection.openSubscriber({ onReady, onLost: () => contact.end() });
    const opened = attempt(() => opening).catch((error: unknown) => {
      if (subscriber === opened) subscriber = undefined;
      // It may come about yet, when nobody waits for it any more.
      opening.then((late) => late.close()).catch(() => {});
      throw error;
    });
    subscriber = opened;
    return opened;
  }

  function onReady(): void {
    contact.begin();
    // What was told meanwhile was not heard.
    for (const tail of tails.values()) tail.refresh().catch(() => {});
  }

  function closeSubscriber(): void {
    clearTimeout(idleTimer);
    const closed = subscriber;
    subscriber = undefined;
    contact.end();
    void closed?.then((open) => open.close()).catch(() => {});
  }

  async function begin(streamId: string, tail: StreamTail): Promise<void> {
    const open = await openSubscriber();
    await leaving.get(streamId);
    const channel = await channelOf(streamId);
    await attempt(() => open.subscribe(channel, (message) => tail.hear(message)));
    // Only what is told from now on is heard, so what was before is read.
    await tail.refresh();
  }

  function drop(streamId: string, tail: StreamTail): void {
    if (tail.size > 0 || tails.get(streamId) !== tail) return;
    tails.delete(streamId);
    tail.close();
    if (subscriber === undefined) return;
    const left = subscriber
      .then(async (open) => {
        const channel = await channelOf(streamId);
        await attempt(() => open.unsubscribe(channel));
      })
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
    get: (streamId) => tails.get(streamId),
    async take(streamId, listener, generation) {
      let tail = tails.get(streamId);
      if (tail === undefined) {
        tail = new StreamTail({
          checkMs,
          patienceMs: (leaseMs) => contact.patienceMs(leaseMs),
          onSleep: () => contact.interrupt(),
          inspect: () => inspect(streamId),
        });
        tails.set(streamId, tail);
        beginnings.set(tail, begin(streamId, tail));
      }
      const taken = tail;
      const unlisten = taken.listen(listener);
      const giveBack = (): void => {
        unlisten();
        drop(streamId, taken);
      };
      try {
        await beginnings.get(taken);
        // What the stream was before, a deletion perhaps, is not what the caller takes it for.
        if (generation !== undefined && taken.generation !== generation) await taken.refresh();
        return { tail: taken, giveBack };
      } catch (error) {
        // Whoever comes next begins anew.
        if (tails.get(streamId) === taken) tails.delete(streamId);
        giveBack();
        throw error;
      }
    },
    close() {
      for (const tail of tails.values()) tail.close();
      tails.clear();
      closeSubscriber();
    },
  };
}
