/** What goes wrong with Redis and with producers, for real: every follower ends with the exact message or the exact error. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createResumableStreamContext, type ResumableStreamContext } from "../../src/server/index.ts";
import { createRedisResumableStreamStore, type RedisResumableStreamStore } from "../../src/server/redis.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { controlOf, payloadsOf, readEvents } from "../support/sse-client.ts";
import { sseOf, textPayloads, textProtocol } from "../support/text-protocol.ts";

// Leases and outages take real time here.
vi.setConfig({ testTimeout: 30_000 });

const LEASE_MS = 1_500;
const script = fileURLToPath(new URL("../support/redis-producer.ts", import.meta.url));

let server: RedisServer;
let keyPrefix: string;
const cleanups: (() => unknown)[] = [];

beforeEach(() => {
  keyPrefix = `faults-${crypto.randomUUID()}`;
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: Record<string, string> = {}): Promise<void> {
  server = await startRedis(options);
  cleanups.push(() => server.stop());
}

/** Another server instance: its own client, store and context. */
async function instance(
  options: { leaseMs?: number; storeAwayMs?: number } = {},
): Promise<{ context: ResumableStreamContext; store: RedisResumableStreamStore }> {
  const client = createClient({ url: server.url });
  client.on("error", () => {});
  await client.connect();
  const store = createRedisResumableStreamStore(client, { keyPrefix });
  const context = createResumableStreamContext({ store, leaseMs: LEASE_MS, onError: () => {}, ...options });
  cleanups.push(async () => {
    await context.close();
    await store.close();
    client.destroy();
  });
  return { context, store };
}

async function produceElsewhere(streamId: string, words: number, everyMs = 20): Promise<ChildProcess> {
  const child = fork(
    script,
    [server.url, keyPrefix, streamId, String(LEASE_MS), String(words), String(everyMs)],
    { stdio: "inherit" },
  );
  cleanups.push(() => child.kill("SIGKILL"));
  await once(child, "message");
  return child;
}

const wordsOf = (count: number): string[] =>
  textPayloads(...Array.from({ length: count }, (_, index) => `${index} `));

/** All that a follower on an instance is told. */
async function follow(context: ResumableStreamContext, streamId: string) {
  const response = new Response(await context.requireResume(streamId, { control: true }));
  const events = await readEvents(response);
  return { payloads: payloadsOf(events), end: controlOf(events, "rejoin.end") };
}

const reached = async (store: RedisResumableStreamStore, streamId: string, seq: number): Promise<void> => {
  while (((await store.inspect(streamId))?.lastSeq ?? 0) < seq)
    await new Promise((resolve) => setTimeout(resolve, 20));
};

describe("a producer in another process", () => {
  it("is followed here, exactly, to its end", async () => {
    await start();
    const { context } = await instance();
    await produceElsewhere("s", 40, 5);
    expect(await follow(context, "s")).toEqual({ payloads: wordsOf(40), end: { status: "done" } });
  });

  it("that is killed is reported to every follower on every instance, soon, and the status agrees", async () => {
    await start();
    const [one, two] = await Promise.all([instance(), instance()]);
    const child = await produceElsewhere("s", 10_000, 20);
    const following = [one, two, one].map(({ context }) => follow(context, "s"));
    await reached(one.store, "s", LEASE_MS / 20);
    child.kill("SIGKILL");
    const killed = performance.now();
    const followed = await Promise.all(following);
    const lateMs = performance.now() - killed;
    for (const { payloads, end } of followed) {
      expect(end).toMatchObject({ status: "error", error: { code: "producer-lost" } });
      expect(payloads).toEqual(wordsOf(10_000).slice(0, payloads.length));
      expect(payloads).toEqual(followed[0]?.payloads);
    }
    // The bound, and a machine's slack: this is what users wait for, not a benchmark.
    expect(lateMs).toBeLessThan(LEASE_MS + 1_000 + 500);
    expect([await one.context.status("s"), await two.context.status("s")]).toEqual(["error", "error"]);
  });

  it("is stopped from here, within a moment, and saves what was written", async () => {
    await start();
    const { context } = await instance();
    const child = await produceElsewhere("s", 10_000, 20);
    const following = follow(context, "s");
    const saved = once(child, "message");
    expect((await context.stop("s"))?.status).toBe("stopped");
    const [[finished], { payloads, end }] = await Promise.all([saved, following]);
    expect(end).toEqual({ status: "stopped" });
    expect(finished).toMatchObject({ status: "stopped" });
    const text = wordsOf(10_000)
      .slice(0, payloads.length)
      .map((payload) => JSON.parse(payload).t)
      .join("");
    expect(finished).toMatchObject({ message: { text } });
  });

  it("that is lost even before anybody followed is found out by whoever asks", async () => {
    await start();
    const child = await produceElsewhere("s", 10_000, 20);
    child.kill("SIGKILL");
    const { context } = await instance();
    while ((await context.status("s")) === "streaming")
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await context.inspect("s"))?.error?.code).toBe("producer-lost");
  });
});

describe("Redis", () => {
  it.each([
    ["with what it had, when it persists", { appendonly: "yes", appendfsync: "always" }],
    ["empty, when it does not", {}],
  ])(
    "may be killed in the middle and come back %s: everyone gets the whole answer",
    async (_how, options) => {
      await start(options);
      const [producer, other] = await Promise.all([instance(), instance()]);
      const source = scriptedSource();
      const words = wordsOf(60);
      const own = new Response(
        await producer.context.run("s", source.make, { protocol: textProtocol, owner: null, control: true }),
      );
      const following = Promise.all([
        readEvents(own),
        readEvents(new Response(await other.context.requireResume("s", { control: true }))),
      ]);
      source.write(sseOf(words.slice(0, 20)));
      await reached(other.store, "s", 20);
      const restarted = server.restart();
      source.write(sseOf(words.slice(20, 40)));
      await restarted;
      source.write(sseOf(words.slice(40)));
      source.end();
      for (const events of await following) {
        expect(payloadsOf(events)).toEqual(words);
        expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
      }
    },
  );

  it("may be flushed in the middle", async () => {
    await start();
    const [producer, other] = await Promise.all([instance(), instance()]);
    const source = scriptedSource();
    const words = wordsOf(40);
    const own = new Response(
      await producer.context.run("s", source.make, { protocol: textProtocol, owner: null, control: true }),
    );
    const following = Promise.all([
      readEvents(own),
      readEvents(new Response(await other.context.requireResume("s", { control: true }))),
    ]);
    source.write(sseOf(words.slice(0, 20)));
    await reached(other.store, "s", 20);
    const admin = createClient({ url: server.url });
    await admin.connect();
    await admin.flushAll();
    admin.destroy();
    source.write(sseOf(words.slice(20)));
    source.end();
    for (const events of await following) {
      expect(payloadsOf(events)).toEqual(words);
      expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
    }
  });

  it.each([
    ["less", LEASE_MS / 2],
    ["more", LEASE_MS * 3],
  ])("may be frozen for %s than the lease: nobody is condemned", async (_how, ms) => {
    await start();
    const [producer, other] = await Promise.all([instance(), instance()]);
    const source = scriptedSource();
    const words = wordsOf(40);
    const own = new Response(
      await producer.context.run("s", source.make, { protocol: textProtocol, owner: null, control: true }),
    );
    const following = Promise.all([
      readEvents(own),
      readEvents(new Response(await other.context.requireResume("s", { control: true }))),
    ]);
    source.write(sseOf(words.slice(0, 20)));
    await reached(other.store, "s", 20);
    server.kill("SIGSTOP");
    source.write(sseOf(words.slice(20, 30)));
    await new Promise((resolve) => setTimeout(resolve, ms));
    server.kill("SIGCONT");
    source.write(sseOf(words.slice(30)));
    source.end();
    for (const events of await following) {
      expect(payloadsOf(events)).toEqual(words);
      expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
    }
  });

  it("may cut every connection", async () => {
    await start();
    const [producer, other] = await Promise.all([instance(), instance()]);
    const source = scriptedSource();
    const words = wordsOf(60);
    const own = new Response(
      await producer.context.run("s", source.make, { protocol: textProtocol, owner: null, control: true }),
    );
    const following = Promise.all([
      readEvents(own),
      readEvents(new Response(await other.context.requireResume("s", { control: true }))),
    ]);
    const admin = createClient({ url: server.url });
    await admin.connect();
    for (let at = 0; at < 60; at += 20) {
      source.write(sseOf(words.slice(at, at + 20)));
      await reached(other.store, "s", at + 20);
      await admin.sendCommand(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
      await admin.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"]);
    }
    admin.destroy();
    source.write(sseOf(words.slice(60)));
    source.end();
    for (const events of await following) {
      expect(payloadsOf(events)).toEqual(words);
      expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
    }
  });

  it("that stays away ends the stream as store-unavailable, and aborts the source", async () => {
    await start();
    const producer = await instance({ storeAwayMs: 1_000 });
    const source = scriptedSource();
    const own = new Response(
      await producer.context.run("s", source.make, { protocol: textProtocol, owner: null, control: true }),
    );
    const events = readEvents(own);
    server.kill("SIGSTOP");
    cleanups.push(() => server.kill("SIGCONT"));
    source.write(sseOf(wordsOf(3)));
    const told = controlOf(await events, "rejoin.end");
    expect(source.signal()?.aborted).toBe(true);
    expect(told).toMatchObject({ status: "error", error: { code: "store-unavailable" } });
    server.kill("SIGCONT");
    while ((await producer.context.status("s").catch(() => "streaming")) === "streaming") {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await producer.context.inspect("s"))?.error?.code).toBe("store-unavailable");
  });
});

describe("two producers", () => {
  it("race a thousand times for an id, and one of them wins each time", async () => {
    await start();
    const [one, two] = await Promise.all([instance(), instance()]);
    for (let round = 0; round < 1_000; round += 1) {
      const options = { owner: null, protocol: "test", leaseMs: LEASE_MS } as const;
      const openings = await Promise.all([
        one.store.open(`race-${round}`, options),
        two.store.open(`race-${round}`, options),
      ]);
      expect(openings.filter((opening) => opening.role === "producer")).toHaveLength(1);
    }
  });
});
