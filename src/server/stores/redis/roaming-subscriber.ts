/**
 * Listening, over connections that come and go. What is published on any node of a cluster is told by every one, so one
 * connection to one node is enough, whichever that is; a server alone is a cluster of one. When the connection is lost, or
 * its node has left the cluster, it is tried again, node after node, until there is one or the subscriber is closed.
 *
 * The clients' own reconnecting is not used: some tell that they are ready before their channels are listened to again.
 */
import { unrefTimer } from "../../timers.ts";
import type { RedisSubscriber, SubscriberEvents } from "./redis-connection.ts";

/** A connection to one node, that only listens, and does not reconnect. */
export interface NodeListener {
  subscribe(channels: readonly string[]): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  /** Whether the client still counts the node among the cluster's. */
  isMember(): boolean;
}

/** What a listener tells. */
export interface NodeListenerEvents {
  onMessage(channel: string, message: string): void;
  /** The connection is lost. */
  onLost(): void;
}

/** Nodes that can be listened to. */
export interface ListeningNodes {
  /** How many there are: the client's own view. */
  count(): number;
  /**
   * Connects to a node; `index` is less than {@link count}, or 0. The connection never keeps the process alive.
   *
   * @param signal ends the connection, also while it is being made.
   */
  connect(index: number, events: NodeListenerEvents, signal: AbortSignal): Promise<NodeListener>;
}

/** A node that does not answer for so long is passed over. */
const CONNECT_TIMEOUT_MS = 2_000;
const RETRY_FIRST_MS = 50;
const RETRY_MOST_MS = 1_000;
/** How often it is looked whether the node has left; nothing is sent for that. */
const MEMBER_CHECK_MS = 1_000;
/** Channels that are named in one command. */
const CHANNELS_AT_ONCE = 1_000;

interface Connected {
  readonly listener: NodeListener;
  /** Ends the connection. */
  readonly life: AbortController;
}

/** Opens a subscriber, which begins to connect. */
export function openRoamingSubscriber(nodes: ListeningNodes, events: SubscriberEvents): RedisSubscriber {
  const listeners = new Map<string, (message: string) => void>();
  let closed = false;
  let current: Connected | undefined;
  /** Of the connection that is there, or that is being made. */
  let life = new AbortController();
  /** The one of which it is being seen whether it still is one. */
  let checking: Connected | undefined;
  let next = Math.floor(Math.random() * Math.max(nodes.count(), 1));
  /** Resolves when a node is listened to, with all channels. */
  let listening: Promise<NodeListener>;

  function listen(): void {
    listening = findNode();
    listening.catch(() => {});
  }

  async function findNode(): Promise<NodeListener> {
    for (let delayMs = RETRY_FIRST_MS; !closed; delayMs = Math.min(delayMs * 2, RETRY_MOST_MS)) {
      for (let left = Math.max(nodes.count(), 1); left > 0 && !closed; left -= 1) {
        const connected = await tryNode();
        if (connected === undefined || connected.life.signal.aborted) continue;
        current = connected;
        events.onReady();
        return connected.listener;
      }
      await new Promise((resolve) => unrefTimer(setTimeout(resolve, delayMs)));
    }
    throw new Error("The subscriber was closed.");
  }

  /** Listens to one node, with all channels; `undefined` where that cannot be. */
  async function tryNode(): Promise<Connected | undefined> {
    const index = next % Math.max(nodes.count(), 1);
    next = index + 1;
    const own = (life = new AbortController());
    const nodeEvents: NodeListenerEvents = {
      onMessage: (channel, message) => listeners.get(channel)?.(message),
      onLost: () => lose(own),
    };
    try {
      return await withinTime(async () => {
        const listener = await nodes.connect(index, nodeEvents, own.signal);
        const channels = [...listeners.keys()];
        for (let at = 0; at < channels.length; at += CHANNELS_AT_ONCE)
          await listener.subscribe(channels.slice(at, at + CHANNELS_AT_ONCE));
        return { listener, life: own };
      });
    } catch {
      own.abort();
      return undefined;
    }
  }

  function lose(lost: AbortController): void {
    lost.abort();
    if (current?.life !== lost) return;
    current = undefined;
    events.onLost();
    listen();
  }

  listen();
  const memberCheck = setInterval(() => {
    if (current?.listener.isMember() === false) lose(current.life);
  }, MEMBER_CHECK_MS);
  unrefTimer(memberCheck);

  return {
    async subscribe(channel, onMessage) {
      listeners.set(channel, onMessage);
      for (;;) {
        const on = await listening;
        try {
          await on.subscribe([channel]);
          return;
        } catch (error) {
          // Another node is listened to meanwhile, or soon, with this channel too.
          if (on === current?.listener || closed) throw error;
        }
      }
    },
    async unsubscribe(channel) {
      listeners.delete(channel);
      await (await listening).unsubscribe(channel);
    },
    check() {
      const checked = current;
      if (checked === undefined || checking === checked) return;
      checking = checked;
      withinTime(() => checked.listener.ping())
        // Nobody has ended it, but nothing comes any more: a router forgot it, or its machine is gone.
        .catch(() => lose(checked.life))
        .finally(() => {
          if (checking === checked) checking = undefined;
        });
    },
    close() {
      closed = true;
      clearInterval(memberCheck);
      current = undefined;
      life.abort();
    },
  };
}

async function withinTime<T>(work: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("The node did not answer.")), CONNECT_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
