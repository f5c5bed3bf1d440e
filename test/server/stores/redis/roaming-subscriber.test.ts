import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  openRoamingSubscriber,
  type NodeListenerEvents,
} from "../../../../src/server/stores/redis/roaming-subscriber.ts";

beforeEach(() => {
  vi.useFakeTimers();
  // It begins with any node: here with the first.
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

interface FakeNode {
  /** What connecting comes to. */
  answer: "yes" | "refuses" | "is silent";
  member: boolean;
  /** Whether its connection stands, and nothing comes any more. */
  isDead: boolean;
  /** How often it was connected to. */
  connections: number;
  /** Of the connection that is open. */
  channels: Set<string>;
  events: NodeListenerEvents | undefined;
}

const fakeNode = (): FakeNode => ({
  answer: "yes",
  member: true,
  isDead: false,
  connections: 0,
  channels: new Set(),
  events: undefined,
});

/** A cluster of three nodes that remember who listens. */
function fakeCluster() {
  const nodes = [fakeNode(), fakeNode(), fakeNode()];
  const told: string[] = [];
  const lose = (node: FakeNode): void => {
    node.channels.clear();
    const { events } = node;
    node.events = undefined;
    events?.onLost();
  };
  const open = () =>
    openRoamingSubscriber(
      {
        count: () => nodes.length,
        async connect(index, events, signal) {
          const node = nodes[index];
          if (node === undefined || node.answer === "refuses") throw new Error("refused");
          node.connections += 1;
          while (node.answer === "is silent") await new Promise((resolve) => setTimeout(resolve, 100));
          signal.throwIfAborted();
          signal.addEventListener("abort", () => lose(node));
          node.events = events;
          return {
            async subscribe(channels) {
              for (const channel of channels) node.channels.add(channel);
            },
            unsubscribe: async (channel) => node.channels.delete(channel),
            isMember: () => node.member,
            ping: () => (node.isDead ? new Promise(() => {}) : Promise.resolve("PONG")),
          };
        },
      },
      { onReady: () => told.push("ready"), onLost: () => told.push("lost") },
    );
  /** Opens it, and waits until it listens. */
  const start = async () => {
    const subscriber = open();
    await vi.waitUntil(() => told.length > 0);
    return subscriber;
  };
  const listened = (): FakeNode => {
    const [only, ...more] = nodes.filter(({ events }) => events !== undefined);
    if (only === undefined || more.length > 0) throw new Error(`${more.length + 1} nodes are listened to.`);
    return only;
  };
  return { nodes, told, open, start, listened, lose };
}

describe("a subscriber on a cluster", () => {
  it("listens to one node, and gives each channel's listener its messages", async () => {
    const { told, start, listened } = fakeCluster();
    const subscriber = await start();
    const heard: string[] = [];
    await subscriber.subscribe("a", (message) => heard.push(`a ${message}`));
    await subscriber.subscribe("b", (message) => heard.push(`b ${message}`));
    listened().events?.onMessage("b", "1");
    listened().events?.onMessage("a", "2");
    await subscriber.unsubscribe("a");
    listened().events?.onMessage("a", "3");
    expect(heard).toEqual(["b 1", "a 2"]);
    expect([...listened().channels]).toEqual(["b"]);
    expect(told).toEqual(["ready"]);
  });

  it("listens to another node, with all channels, before it says that it is ready again", async () => {
    const { told, start, listened, lose } = fakeCluster();
    const subscriber = await start();
    await subscriber.subscribe("a", () => {});
    await subscriber.subscribe("b", () => {});
    const before = listened();
    lose(before);
    expect(told).toEqual(["ready", "lost"]);
    await vi.waitUntil(() => told.length === 3);
    expect(listened()).not.toBe(before);
    expect([...listened().channels]).toEqual(["a", "b"]);
    expect(told).toEqual(["ready", "lost", "ready"]);
  });

  it("takes a channel while it is between two nodes", async () => {
    const { nodes, start, listened, lose } = fakeCluster();
    const subscriber = await start();
    for (const node of nodes) node.answer = "is silent";
    lose(listened());
    let isTaken = false;
    const taking = subscriber.subscribe("a", () => {}).then(() => (isTaken = true));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(isTaken).toBe(false);
    for (const node of nodes) node.answer = "yes";
    await vi.advanceTimersByTimeAsync(100);
    await taking;
    expect([...listened().channels]).toEqual(["a"]);
  });

  it("passes over nodes that refuse, or do not answer in time", async () => {
    const { nodes, open, listened } = fakeCluster();
    const [one, two] = nodes;
    if (one !== undefined) one.answer = "refuses";
    if (two !== undefined) two.answer = "is silent";
    open();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(listened()).toBe(nodes[2]);
  });

  it("ends a connection that takes too long to be made", async () => {
    const { nodes, open, listened } = fakeCluster();
    for (const node of nodes.slice(0, 2)) node.answer = "is silent";
    open();
    await vi.advanceTimersByTimeAsync(5_000);
    for (const node of nodes) node.answer = "yes";
    await vi.advanceTimersByTimeAsync(200);
    expect(nodes.map(({ connections }) => connections)).toEqual([1, 1, 1]);
    expect(listened()).toBe(nodes[2]);
  });

  it("waits where no node can be listened to at first, with what it is to listen to", async () => {
    const { nodes, told, open, listened } = fakeCluster();
    for (const node of nodes) node.answer = "refuses";
    const subscriber = open();
    const left = subscriber.subscribe("a", () => {});
    const stayed = subscriber.subscribe("b", () => {});
    const leaving = subscriber.unsubscribe("a");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([]);
    for (const node of nodes) node.answer = "yes";
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all([left, stayed, leaving]);
    expect(told).toEqual(["ready"]);
    expect([...listened().channels]).toEqual(["b"]);
  });

  it("keeps listening for who left and came back while there was no node", async () => {
    const { nodes, open, listened } = fakeCluster();
    for (const node of nodes) node.answer = "refuses";
    const subscriber = open();
    const heard: string[] = [];
    const calls = [
      subscriber.subscribe("a", () => {}),
      subscriber.unsubscribe("a"),
      subscriber.subscribe("a", (message) => heard.push(message)),
    ];
    for (const node of nodes) node.answer = "yes";
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all(calls);
    expect([...listened().channels]).toEqual(["a"]);
    listened().events?.onMessage("a", "1");
    expect(heard).toEqual(["1"]);
  });

  it("tries again, after a pause, until there is a node", async () => {
    const { nodes, told, start, listened, lose } = fakeCluster();
    await start();
    const before = listened();
    for (const node of nodes) node.answer = "refuses";
    lose(before);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual(["ready", "lost"]);
    for (const node of nodes) node.answer = "yes";
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(["ready", "lost", "ready"]);
    expect(listened()).toBeDefined();
  });

  it("leaves a node that has left the cluster, though its connection stands", async () => {
    const { told, start, listened } = fakeCluster();
    await start();
    const before = listened();
    before.member = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(listened()).not.toBe(before);
    expect(told).toEqual(["ready", "lost", "ready"]);
  });

  it("leaves a node that is silent when it is asked whether it is there, and stays with one that is not", async () => {
    const { told, start, listened } = fakeCluster();
    const subscriber = await start();
    const before = listened();
    subscriber.check();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(listened()).toBe(before);
    before.isDead = true;
    subscriber.check();
    subscriber.check();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(listened()).not.toBe(before);
    expect(told).toEqual(["ready", "lost", "ready"]);
  });

  it("is silent and listens no more when it is closed, also between two nodes", async () => {
    const { nodes, told, start, listened, lose } = fakeCluster();
    const subscriber = await start();
    lose(listened());
    subscriber.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual(["ready", "lost"]);
    expect(nodes.filter(({ events }) => events !== undefined)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
