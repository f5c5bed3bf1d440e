/** A stream that grows too large, on every store: it ends as limit-exceeded, and everything up to there is readable. */
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it, vi } from "vitest";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  type EventStreamStore,
  type ResumableStreamContext,
  type StreamLimits,
} from "../../src/server/index.ts";
import { followAnswer, followResponse } from "../support/produced-answer.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { openRedisStore, type RedisClientName } from "../support/redis-stores.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { controlOf, payloadsOf } from "../support/sse-client.ts";
import { sseOf, textProtocol } from "../support/text-protocol.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

type Limits = Partial<StreamLimits>;
interface Opened {
  readonly store: EventStreamStore;
  close(): Promise<void>;
}

async function inMemory(limits: Limits): Promise<Opened> {
  const store = createInMemoryResumableStreamStore(limits);
  return { store, close: () => store.close() };
}
const onRedis =
  (client: RedisClientName) =>
  (limits: Limits): Promise<Opened> =>
    openRedisStore(client, server.url, { ...limits, keyPrefix: `limits-${crypto.randomUUID()}` });

/** An entry of 30 bytes in UTF-8, by whichever letter. */
const entry = (letter: string): string => JSON.stringify({ t: letter.repeat(22) });
const fitting = [entry("a"), entry("b")];

describe.each([
  ["in memory", inMemory],
  ["in Redis, by node-redis", onRedis("node-redis")],
  ["in Redis, by ioredis", onRedis("ioredis")],
])("%s", (_where, openStore) => {
  describe.each<[keyof StreamLimits, Limits, string]>([
    ["maxChunkBytes", { maxChunkBytes: 30 }, JSON.stringify({ t: "é".repeat(12) })],
    ["maxEntriesPerStream", { maxEntriesPerStream: 2 }, entry("c")],
    ["maxStreamBytes", { maxStreamBytes: 89 }, entry("c")],
  ])("a source that passes %s", (name, limits, tooMuch) => {
    const finished = vi.fn();
    const finalized = vi.fn();
    const failed = vi.fn();
    let opened: Opened;
    let context: ResumableStreamContext;
    let produced: Promise<unknown>;
    beforeEach(async () => {
      for (const hook of [finished, finalized, failed]) hook.mockClear();
      opened = await openStore(limits);
      context = createResumableStreamContext({
        store: opened.store,
        onFinalize: finalized,
        onError: failed,
        waitUntil: (done) => void (produced = done),
      });
    });
    afterEach(async () => {
      await context.close();
      await opened.close();
    });

    it.each([
      ["at once", [[...fitting, tooMuch, entry("d")]]],
      ["one by one", [[entry("a")], [entry("b")], [tooMuch]]],
    ])("with events, %s, ends as limit-exceeded after what fits", async (_how, writes) => {
      const source = scriptedSource();
      const follower = followResponse(
        await context.run("s", source.make, {
          protocol: textProtocol,
          owner: null,
          control: true,
          onFinish: finished,
        }),
      );
      for (const payloads of writes) {
        source.write(sseOf(payloads));
        if (writes.length > 1 && !payloads.includes(tooMuch))
          await vi.waitUntil(() => payloadsOf(follower.events).includes(payloads[0] ?? ""), 15_000);
      }
      const late = async () => (await followAnswer(context, "s")).all;
      for (const events of [await follower.all, await late()]) {
        expect(payloadsOf(events)).toEqual(fitting);
        expect(controlOf(events, "rejoin.end")).toMatchObject({
          status: "error",
          error: { code: "limit-exceeded" },
        });
      }
      expect(source.signal()?.aborted).toBe(true);
      await produced;
      const text = "a".repeat(22) + "b".repeat(22);
      expect(finished.mock.calls).toMatchObject([
        [{ status: "error", error: { code: "limit-exceeded" }, message: { text, status: "error" } }],
      ]);
      expect(finalized.mock.calls).toEqual([["s", "error", expect.any(String)]]);
      expect(failed).toHaveBeenCalledWith("s", expect.objectContaining({ code: "limit-exceeded" }));
      expect(String(failed.mock.calls[0]?.[1])).toContain(name);
    });

    it("with bytes ends in an error after what fits", async () => {
      const source = scriptedSource<Uint8Array>();
      const stream = await context.run("s", source.make);
      const encoder = new TextEncoder();
      source.write(...[...fitting, tooMuch].map((text) => encoder.encode(text)));
      for (const body of [stream, await context.requireResume("s")]) {
        const read: string[] = [];
        const reading = (async () => {
          for await (const chunk of body) read.push(new TextDecoder().decode(chunk));
        })();
        await expect(reading).rejects.toMatchObject({ code: "limit-exceeded" });
        expect(read.join("")).toBe(fitting.join(""));
      }
      expect(source.signal()?.aborted).toBe(true);
      await produced;
      expect(await context.inspect("s")).toMatchObject({
        status: "error",
        error: { code: "limit-exceeded" },
        lastSeq: 2,
      });
      expect(String(failed.mock.calls[0]?.[1])).toContain(name);
    });
  });
});
