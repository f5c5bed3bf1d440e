import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createContact } from "../../../../src/server/stores/redis/contact.ts";
import type { RedisInspection } from "../../../../src/server/stores/redis/replies.ts";
import { createStreamTails } from "../../../../src/server/stores/redis/stream-tails.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const state: RedisInspection = {
  record: { generation: "g", status: "streaming", lastSeq: 0, owner: null, protocol: "test" },
  leaseUntil: null,
  leaseMs: null,
  expiresAt: 1_000_000,
  ttlMs: 1_000_000,
  now: 0,
};

/** Tails over a connection that a test tells on, and readings that it answers. */
function startTails() {
  const channels = new Map<string, (message: string) => void>();
  const connections = { opened: 0, closed: 0 };
  const inspect = vi.fn<() => Promise<RedisInspection>>(async () => state);
  const tails = createStreamTails({
    contact: createContact(),
    checkMs: 10_000,
    channelOf: async (streamId) => streamId,
    attempt: (send) => send(),
    inspect,
    connection: {
      openSubscriber({ onReady }) {
        connections.opened += 1;
        onReady();
        return {
          subscribe: async (channel, onMessage) => void channels.set(channel, onMessage),
          unsubscribe: async (channel) => void channels.delete(channel),
          check: () => {},
          close: () => void (connections.closed += 1),
        };
      },
    },
  });
  return { tails, channels, connections, inspect };
}

const nothing = () => (): number => Infinity;
const appended = (seq: number): string => `a g ${seq - 1} ${seq}\n{"n":${seq}}`;

describe("the tails of a process", () => {
  it("leave nothing of one that could not begin", async () => {
    const { tails, channels, connections, inspect } = startTails();
    inspect.mockRejectedValue(new Error("away"));
    await expect(tails.take("s", nothing(), undefined)).rejects.toThrow("away");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tails.has("s")).toBe(false);
    expect([...channels.keys()]).toEqual([]);
    expect(connections).toEqual({ opened: 1, closed: 1 });
    expect(inspect).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("begin anew with whoever comes next", async () => {
    const { tails, channels, inspect } = startTails();
    inspect.mockRejectedValueOnce(new Error("away"));
    await expect(tails.take("s", nothing(), undefined)).rejects.toThrow("away");
    const { tail } = await tails.take("s", nothing(), undefined);
    channels.get("s")?.(appended(1));
    expect(tail.lastSeq).toBe(1);
    tails.close();
  });

  it("stay with those who have one when somebody else cannot have it", async () => {
    const { tails, channels, inspect } = startTails();
    const { tail, giveBack } = await tails.take("s", nothing(), undefined);
    inspect.mockRejectedValueOnce(new Error("away"));
    await expect(tails.take("s", nothing(), "another generation")).rejects.toThrow("away");
    channels.get("s")?.(appended(1));
    expect(tail.lastSeq).toBe(1);
    expect((await tails.take("s", nothing(), undefined)).tail).toBe(tail);
    giveBack();
    expect(tails.has("s")).toBe(true);
    tails.close();
  });

  it("cannot be had once they are closed, and nothing is opened for them", async () => {
    const { tails, connections } = startTails();
    tails.close();
    await expect(tails.take("s", nothing(), undefined)).rejects.toMatchObject({ code: "store-unavailable" });
    expect(connections.opened).toBe(0);
  });
});
