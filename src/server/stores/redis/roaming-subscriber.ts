/**
 * Listening to a cluster. What is published on any of its nodes is told by every one, so one connection to one node is
 * enough, whichever that is. When it is lost, or its node has left the cluster, another node is listened to.
 */
import { unrefTimer } from "../../timers.ts";
import type { RedisSubscriber, SubscriberEvents } from "./redis-connection.ts";

/** A connection to one node, that only listens, and does not reconnect. */
export interface NodeListener {
  subscribe(channels: readonly string[]): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** Whether the client still counts the node among the cluster's. */
  isMember(): boolean;
  close(): void;
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
  /** Connects to a node; `index` is less than {@link count}, or 0. */
  connect(index: number, events: NodeListenerEvents): Promise<NodeListener>;
}

/** A node that does not answer for so long is passed over. */
const CONNECT_TIMEOUT_MS = 2_000;
const RETRY_FIRST_MS = 50;
const RETRY_MOST_MS = 1_000;
/** How often it is looked whether the node has left; nothing is sent for that. */
const MEMBER_CHECK_MS = 1_000;
/** Channels that are named in one command. */
const CHANNELS_AT_ONCE = 1_000;

/** Opens a subscriber; resolves when it listens, and rejects when no node can be listened to. */
export async function openRoamingSubscriber(
  nodes: ListeningNodes,
  events: SubscriberEvents,
): Promise<RedisSubscriber> {
  const listeners = new Map<string, (message: string) => void>();
  let closed = false;
  let listener: NodeListener | undefined;
  /** Resolves when a node is listened to, with all channels. */
  let listening: Promise<NodeListener>;
  let next = Math.floor(Math.random() * Math.max(nodes.count(), 1));

  /** Listens to one node, with all channels. */
  async function tryNode(): Promise<NodeListener> {
    const index = next % Math.max(nodes.count(), 1);
    next = index + 1;
    let lost = false;
    const connecting = nodes.connect(index, {
      onMessage: (channel, message) => listeners.get(channel)?.(message),
      onLost: () => {
        lost = true;
        if (listener !== undefined && listener === connected) move();
      },
    });
    let connected: NodeListener | undefined;
    try {
      return await withinTime(async () => {
        connected = await connecting;
        const channels = [...listeners.keys()];
        for (let at = 0; at < channels.length; at += CHANNELS_AT_ONCE)
          await connected.subscribe(channels.slice(at, at + CHANNELS_AT_ONCE));
        if (lost || closed) throw new Error("The connection was lost.");
        return connected;
      });
    } catch (error) {
      // It may come about yet, when nobody waits for it any more.
      connecting.then((late) => late.close()).catch(() => {});
      throw error;
    }
  }

  async function tryAllNodes(): Promise<NodeListener> {
    for (let left = nodes.count(); ; left -= 1) {
      try {
        listener = await tryNode();
        return listener;
      } catch (error) {
        if (left <= 1 || closed) throw error;
      }
    }
  }

  function leave(): void {
    const left = listener;
    listener = undefined;
    left?.close();
  }

  /** Leaves the node, and listens to another, as soon as there is one. */
  function move(): void {
    leave();
    events.onLost();
    listening = (async () => {
      for (let delayMs = RETRY_FIRST_MS; !closed; delayMs = Math.min(delayMs * 2, RETRY_MOST_MS)) {
        try {
          const moved = await tryAllNodes();
          events.onReady();
          return moved;
        } catch {
          await new Promise((resolve) => unrefTimer(setTimeout(resolve, delayMs)));
        }
      }
      throw new Error("The subscriber was closed.");
    })();
    listening.catch(() => {});
  }

  listening = tryAllNodes();
  await listening;
  events.onReady();
  const memberCheck = setInterval(() => {
    if (listener?.isMember() === false) move();
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
          if (on === listener || closed) throw error;
        }
      }
    },
    async unsubscribe(channel) {
      listeners.delete(channel);
      await (await listening).unsubscribe(channel);
    },
    close() {
      closed = true;
      clearInterval(memberCheck);
      leave();
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
