/** What following a stream in Redis costs, and what is left when nobody follows any more. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createResumableStreamContext, type ResumableStreamContext } from "../../src/server/index.ts";
import type { RedisResumableStreamStore } from "../../src/server/redis.ts";
import { createRedisKeys } from "../../src/server/stores/redis/keys.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { openRedisStore, REDIS_CLIENTS, type OpenedStore } from "../support/redis-stores.ts";
import { readEvents } from "../support/sse-client.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { sseOf, textPayloads, textProtocol } from "../support/text-protocol.ts";

// The listening connection is kept for some seconds, in case somebody comes back.
vi.setConfig({ testTimeout: 30_000 });

const SOON = { timeout: 15_000, interval: 20 };

let server: RedisServer;
let admin: Awaited<ReturnType<typeof connect>>;
let store: RedisResumableStreamStore;
let context: ResumableStreamContext;
let keyPrefix: string;

const connect = () => createClient({ url: server.url }).connect();

beforeAll(async () => {
  server = await startRedis();
  admin = await connect();
});
afterAll(async () => {
  admin.destroy();
  await server.stop();
});
const opening = { owner: null, protocol: "test", leaseMs: 60_000 } as const;

/** Connections to Redis. */
async function connections(): Promise<number> {
  return Number(/^connected_clients:(\d+)/m.exec(await admin.info("clients"))?.[1]);
}

/** How many listen to a stream. */
async function listenersOf(streamId: string): Promise<number> {
  const reply = await admin.sendCommand(["PUBSUB", "NUMSUB", createRedisKeys(keyPrefix).meta(streamId)]);
  return Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
}

async function callsOf(command: string): Promise<number> {
  const stats = await admin.info("commandstats");
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

/** A follower that has read all there is. */
async function follow(streamId: string): Promise<() => Promise<void>> {
  const abort = new AbortController();
  const live = Promise.withResolvers<void>();
  const over = (async () => {
    for await (const item of store.follow(streamId, "", abort.signal))
      if (item.type === "live") live.resolve();
  })();
  await live.promise;
  return () => {
    abort.abort();
    return over;
  };
}

describe.each(REDIS_CLIENTS)("on %s", (client) => {
  const closing: OpenedStore[] = [];

  beforeEach(async () => {
    keyPrefix = `resources-${crypto.randomUUID()}`;
    const opened = await openRedisStore(client, server.url, { keyPrefix });
    closing.push(opened);
    store = opened.store;
    context = createResumableStreamContext({ store });
  });
  afterEach(async () => {
    await context.close();
    for (const { close } of closing.splice(0)) await close();
  });

  describe("the connection that listens", () => {
    it("is opened with the first follower, is one for all of them, and is closed when there is none", async () => {
      await store.open("one", opening);
      await store.open("two", opening);
      const before = await connections();
      const leave = [await follow("one"), await follow("one"), await follow("two")];
      expect(await connections()).toBe(before + 1);
      for (const go of leave) await go();
      await vi.waitUntil(async () => (await connections()) === before, SOON);
    });
  });

  describe("a follower that went away", () => {
    it("is listened for no more, while others are", async () => {
      await store.open("one", opening);
      await store.open("two", opening);
      const leave = await follow("one");
      const stay = await follow("two");
      expect([await listenersOf("one"), await listenersOf("two")]).toEqual([1, 1]);
      await leave();
      await vi.waitUntil(async () => (await listenersOf("one")) === 0, SOON);
      expect(await listenersOf("two")).toBe(1);
      await stay();
    });

    it("may come back at once, and hears what is new", async () => {
      const opened = await store.open("one", opening);
      if (opened.role !== "producer") throw new Error("not the producer");
      // A client may still be about to end the subscription of the one who went.
      for (let seq = 1; seq <= 20; seq += 1) {
        const following = store.follow("one", "", new AbortController().signal)[Symbol.asyncIterator]();
        for (let item = await following.next(); !item.done && item.value.type !== "live";)
          item = await following.next();
        const next = following.next();
        await store.appendBatch("one", opened.lease, seq, [`{"n":${seq}}`]);
        expect((await next).value).toEqual({ type: "entries", firstSeq: seq, payloads: [`{"n":${seq}}`] });
        await following.return?.();
      }
    });
  });

  describe("many followers of one stream", () => {
    it.each([
      ["bytes", null, new Uint8Array(10)],
      ["events that are too large to be told", "test", "x".repeat(100_000)],
    ])("read %s once", async (_what, protocol, payload) => {
      const opened = await store.open("s", { ...opening, protocol });
      if (opened.role !== "producer") throw new Error("not the producer");
      const followers = Array.from({ length: 20 }, () =>
        store.follow("s", "", new AbortController().signal)[Symbol.asyncIterator](),
      );
      for (const follower of followers)
        for (let item = await follower.next(); !item.done && item.value.type !== "live";)
          item = await follower.next();
      const before = await callsOf("xrange");
      const told = Promise.all(followers.map((follower) => follower.next()));
      await store.appendBatch("s", opened.lease, 1, [payload]);
      for (const { value } of await told)
        expect(value).toMatchObject({ firstSeq: 1, payloads: { length: 1 } });
      expect((await callsOf("xrange")) - before).toBe(1);
      for (const follower of followers) await follower.return?.();
    });
  });

  describe("a slow follower", () => {
    it("is paced by its reader: no page is read that nobody asks for", async () => {
      const source = scriptedSource();
      const own = await context.run("s", source.make, { protocol: textProtocol, owner: null });
      const words = Array.from({ length: 20_000 }, (_, index) => `${index} `);
      source.write(sseOf(textPayloads(...words)));
      await vi.waitUntil(async () => ((await store.inspect("s"))?.lastSeq ?? 0) >= words.length, SOON);
      await own.cancel();
      const before = await callsOf("xrange");
      const reader = (await context.requireResume("s")).getReader();
      await reader.read();
      // Long enough for all twenty pages, if anything drove it but the reader.
      for (let time = 0; time < 100; time += 1) await store.inspect("s");
      expect((await callsOf("xrange")) - before).toBeLessThanOrEqual(3);
      await reader.cancel();
      source.end();
    });
  });

  describe("entries that Redis has lost alone", () => {
    const lose = async (streamId: string) =>
      admin.del(createRedisKeys(keyPrefix).data(streamId, (await store.inspect(streamId))?.generation ?? ""));

    it("are written again with the next that comes", async () => {
      const source = scriptedSource();
      const words = textPayloads(...Array.from({ length: 20 }, (_, index) => `${index} `));
      const options = { protocol: textProtocol, owner: null };
      const own = new Response(await context.run("s", source.make, options));
      source.write(sseOf(words.slice(0, 10)));
      await vi.waitUntil(async () => (await store.inspect("s"))?.lastSeq === 10);
      await lose("s");
      source.write(sseOf(words.slice(10)));
      source.end();
      for (const response of [own, new Response(await context.requireResume("s"))])
        expect((await readEvents(response)).map(({ data }) => data)).toEqual([...words, "[DONE]"]);
    });

    it("are missed by a renewal too, and asked for", async () => {
      const opened = await store.open("s", opening);
      if (opened.role !== "producer") throw new Error("not the producer");
      await store.appendBatch("s", opened.lease, 1, ["{}", "{}"]);
      await lose("s");
      // Looked for when keys' lives are renewed, which is not each time.
      await admin.hIncrBy(createRedisKeys(keyPrefix).meta("s"), "at", -10_000);
      expect(await store.renew("s", opened.lease)).toEqual({ verdict: "ok", lastSeq: 0 });
    });
  });

  describe("a generation that is taken over", () => {
    it("leaves no entries in Redis", async () => {
      const keys = createRedisKeys(keyPrefix);
      const lost = await store.open("s", { ...opening, leaseMs: 100 });
      if (lost.role !== "producer") throw new Error("not the producer");
      await store.appendBatch("s", lost.lease, 1, ["{}"]);
      await (
        await follow("s")
      )();
      await vi.waitUntil(
        async () => (await store.open("s", { ...opening, takeover: true })).role === "producer",
      );
      expect(await admin.exists(keys.data("s", lost.lease.token))).toBe(0);
    });
  });

  describe("entries that Redis has lost for good", () => {
    it("are waited for without asking again and again, and end as missing", async () => {
      const opened = await store.open("s", opening);
      if (opened.role !== "producer") throw new Error("not the producer");
      await store.appendBatch("s", opened.lease, 1, ["{}", "{}"]);
      await admin.del(createRedisKeys(keyPrefix).data("s", opened.lease.token));
      const before = await callsOf("xrange");
      const following = store.follow("s", "", new AbortController().signal)[Symbol.asyncIterator]();
      expect((await following.next()).value).toMatchObject({ type: "position" });
      const next = following.next();
      for (let time = 0; time < 100; time += 1) await store.inspect("s");
      expect((await callsOf("xrange")) - before).toBeLessThanOrEqual(3);
      await store.end("s", opened.lease, { status: "done" });
      expect((await next).value).toMatchObject({ type: "end", end: { status: "missing" } });
    });
  });

  describe("a stream that nobody writes to", () => {
    const day = 24 * 60 * 60 * 1_000;

    it.each([
      ["24 hours, where nobody says how long", {}, {}, day],
      ["defaultTtlMs", { defaultTtlMs: 50_000 }, {}, 50_000],
      ["as long as the stream's own ttlMs", { defaultTtlMs: 50_000 }, { ttlMs: 90_000 }, 90_000],
    ])("lives for %s, and takes its keys with it", async (_what, storeOptions, openOptions, ttlMs) => {
      const opened = await openRedisStore(client, server.url, { ...storeOptions, keyPrefix });
      closing.push(opened);
      const opening = await opened.store.open("s", { owner: null, protocol: "test", ...openOptions });
      if (opening.role !== "producer") throw new Error("not the producer");
      await opened.store.appendBatch("s", opening.lease, 1, ["{}"]);
      const keys = createRedisKeys(keyPrefix);
      expect(await admin.hGet(keys.meta("s"), "ttl")).toBe(String(ttlMs));
      for (const key of [keys.meta("s"), keys.data("s", opening.lease.token)]) {
        const leftMs = Number(await admin.pTTL(key));
        // The state is kept for a while longer, so that followers can tell an expiry from a loss.
        expect(leftMs).toBeGreaterThan(ttlMs);
        expect(leftMs).toBeLessThanOrEqual(ttlMs + 60_000);
      }
    });

    it("is missing once that is over, and its id is free", async () => {
      const opened = await openRedisStore(client, server.url, { defaultTtlMs: 200, keyPrefix });
      closing.push(opened);
      expect(await opened.store.acquire("s")).toBe("producer");
      await vi.waitUntil(async () => (await opened.store.status("s")) === "missing", SOON);
      expect(await opened.store.acquire("s")).toBe("producer");
    });

    it("cannot live for no time", () => {
      const make = () => openRedisStore(client, server.url, { defaultTtlMs: 0, keyPrefix });
      return expect(make()).rejects.toThrow(/defaultTtlMs/);
    });
  });

  describe("a store that is closed", () => {
    it("ends its followers without a word, also at the end of a block", async () => {
      await store.open("s", opening);
      let over: Promise<string[]>;
      {
        const opened = await openRedisStore(client, server.url, { keyPrefix });
        closing.push(opened);
        await using other = opened.store;
        const live = Promise.withResolvers<void>();
        over = (async () => {
          const seen: string[] = [];
          for await (const item of other.follow("s", "", new AbortController().signal)) {
            seen.push(item.type);
            if (item.type === "live") live.resolve();
          }
          return seen;
        })();
        await live.promise;
      }
      expect(await over).toEqual(["position", "live"]);
    });
  });
});

describe("a process that used the stores", () => {
  it("ends by itself", async () => {
    const script = fileURLToPath(new URL("../support/leaves-by-itself.ts", import.meta.url));
    const child = fork(script, [server.url], { stdio: "inherit" });
    expect(await once(child, "message")).toEqual(["done", undefined]);
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("ends by itself in an outage too, in which it had one connection for listening at most", async () => {
    const script = fileURLToPath(new URL("../support/leaves-in-an-outage.ts", import.meta.url));
    const gone = await startRedis();
    const child = fork(script, [gone.url], { stdio: "inherit" });
    const exited = once(child, "exit");
    await once(child, "message");
    await gone.stop();
    child.send("gone");
    const [open] = await once(child, "message");
    expect(Math.max(...open)).toBeLessThanOrEqual(1);
    expect(await exited).toEqual([0, null]);
  });
});
