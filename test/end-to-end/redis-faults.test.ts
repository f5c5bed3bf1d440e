/** What goes wrong with Redis and with producers, for real: every follower ends with the exact message or the exact error. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createResumableStreamContext, type ResumableStreamContext } from "../../src/server/index.ts";
import type { RedisResumableStreamStore } from "../../src/server/redis.ts";
import { createRedisKeys } from "../../src/server/stores/redis/keys.ts";
import { formatCursor } from "../../src/shared/cursor.ts";
import {
  expectWhole,
  followAnswer,
  followResponse,
  heard,
  produceAnswer,
  reached,
  until,
} from "../support/produced-answer.ts";
import { startProducer, type ProducerProcess } from "../support/producer-process.ts";
import type { RacedStream, RacerTask } from "../support/redis-racer.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { openRedisStore, REDIS_CLIENTS, type RedisClientName } from "../support/redis-stores.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { controlOf, payloadsOf } from "../support/sse-client.ts";
import { sseOf, textPayloads, textProtocol } from "../support/text-protocol.ts";

// Leases and outages take real time here.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const LEASE_MS = 1_500;
const racer = fileURLToPath(new URL("../support/redis-racer.ts", import.meta.url));

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

/** A connection of the test's own. */
async function connectAdmin() {
  const admin = createClient({ url: server.url });
  // The server may go before it does.
  admin.on("error", () => {});
  cleanups.push(() => admin.destroy());
  return admin.connect();
}

const wordsOf = (count: number): string[] =>
  textPayloads(...Array.from({ length: count }, (_, index) => `${index} `));

interface Instance {
  readonly context: ResumableStreamContext;
  readonly store: RedisResumableStreamStore;
}

describe.each(REDIS_CLIENTS)("on %s", (client: RedisClientName) => {
  /** Another server instance: its own client, store and context. */
  async function instance(options: { leaseMs?: number; storeAwayMs?: number } = {}): Promise<Instance> {
    const { store, close } = await openRedisStore(client, server.url, { keyPrefix });
    const context = createResumableStreamContext({ store, leaseMs: LEASE_MS, onError: () => {}, ...options });
    cleanups.push(async () => {
      await context.close();
      await close();
    });
    return { context, store };
  }

  async function produceElsewhere(streamId: string, words: number, everyMs = 20): Promise<ProducerProcess> {
    const { url } = server;
    const task = { client, url, keyPrefix, streamId, leaseMs: LEASE_MS, words, everyMs };
    const producer = await startProducer(task);
    cleanups.push(() => producer.kill("SIGKILL"));
    return producer;
  }

  describe("a producer in another process", () => {
    it("is followed here, exactly, to its end", async () => {
      await start();
      const { context } = await instance();
      await produceElsewhere("s", 40, 5);
      await expectWhole([await followAnswer(context, "s")], wordsOf(40));
    });

    it("that is killed is reported to every follower on every instance, and the status agrees", async () => {
      await start();
      const [one, two] = await Promise.all([instance(), instance()]);
      const producer = await produceElsewhere("s", 10_000);
      const followers = await Promise.all([one, two, one].map(({ context }) => followAnswer(context, "s")));
      await reached(one.store, "s", 20);
      producer.kill("SIGKILL");
      const told = await Promise.all(followers.map(({ all }) => all));
      const payloads = payloadsOf(told[0] ?? []);
      expect(payloads).toEqual(wordsOf(10_000).slice(0, payloads.length));
      for (const events of told) {
        expect(controlOf(events, "rejoin.end")).toMatchObject({
          status: "error",
          error: { code: "producer-lost" },
        });
        expect(payloadsOf(events)).toEqual(payloads);
      }
      expect([await one.context.status("s"), await two.context.status("s")]).toEqual(["error", "error"]);
      expect((await one.store.inspect("s"))?.lastSeq).toBe(payloads.length);
    });

    it("that was frozen for longer than its lease, and is taken over, changes nothing when it goes on", async () => {
      await start();
      const [one, two] = await Promise.all([instance(), instance()]);
      const zombie = await produceElsewhere("s", 10_000);
      await reached(one.store, "s", 10);
      zombie.kill("SIGSTOP");
      await until(async () => (await one.context.status("s")) === "error");
      const lost = await one.store.inspect("s");
      expect(lost?.error?.code).toBe("producer-lost");

      const source = scriptedSource();
      const again = await two.context.run("s", source.make, {
        protocol: textProtocol,
        owner: null,
        control: true,
        takeover: true,
      });
      const cursor = formatCursor(lost?.generation ?? "", 5);
      const followers = [
        followResponse(again),
        await followAnswer(one.context, "s", cursor),
        await followAnswer(two.context, "s", cursor),
      ];
      // The new log is as long as the old one was, so that the next entry of the old one would fit.
      const length = lost?.lastSeq ?? 0;
      const words = textPayloads(...Array.from({ length: length + 10 }, (_, index) => `new ${index} `));
      source.write(sseOf(words.slice(0, length)));
      await heard(followers, length);
      zombie.kill("SIGCONT");
      await zombie.said("aborted");
      await zombie.said("done");
      source.write(sseOf(words.slice(length)));
      source.end();

      await expectWhole(followers, words);
      for (const { events } of followers.slice(1)) expect(events[0]?.event).toBe("rejoin.reset");
      expect(await one.store.inspect("s")).toMatchObject({ status: "done", lastSeq: words.length });
      const said = zombie.messages.map(({ type }) => type);
      expect(said).not.toContain("finalized");
      expect(said).not.toContain("finished");
      // An append from before may have been answered only now; the log has what it was told of.
      expect(said.filter((type) => type === "appended").length).toBeLessThanOrEqual(length);
      // What it might have appended to is gone, and stays so.
      const admin = await connectAdmin();
      expect(await admin.exists(createRedisKeys(keyPrefix).data("s", lost?.generation ?? ""))).toBe(0);
    });

    it("is stopped from here, and saves what was written", async () => {
      await start();
      const { context } = await instance();
      const producer = await produceElsewhere("s", 10_000);
      const { all } = await followAnswer(context, "s");
      expect((await context.stop("s"))?.status).toBe("stopped");
      const events = await all;
      expect(controlOf(events, "rejoin.end")).toEqual({ status: "stopped" });
      const text = payloadsOf(events)
        .map((payload) => JSON.parse(payload).t)
        .join("");
      expect(await producer.said("finished")).toMatchObject({ status: "stopped", message: { text } });
      expect(wordsOf(10_000).slice(0, payloadsOf(events).length)).toEqual(payloadsOf(events));
    });

    it("that is lost even before anybody followed is found out by whoever asks", async () => {
      await start();
      const producer = await produceElsewhere("s", 10_000);
      producer.kill("SIGKILL");
      const { context } = await instance();
      await until(async () => (await context.status("s")) !== "streaming");
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
        const { source, followers } = await produceAnswer(producer.context, "s", [other.context]);
        const words = wordsOf(60);
        source.write(sseOf(words.slice(0, 20)));
        await reached(other.store, "s", 20);
        const restarted = server.restart();
        source.write(sseOf(words.slice(20, 40)));
        await restarted;
        source.write(sseOf(words.slice(40)));
        source.end();
        await expectWhole(followers, words);
      },
    );

    it("may come back shorter than its followers are: everyone gets the whole answer", async () => {
      await start();
      // With such a lease nothing is sent to it before the next entries are.
      const [producer, other] = await Promise.all([
        instance({ leaseMs: 60_000 }),
        instance({ leaseMs: 60_000 }),
      ]);
      const { source, followers } = await produceAnswer(producer.context, "s", [other.context]);
      const words = wordsOf(60);
      source.write(sseOf(words.slice(0, 20)));
      await reached(other.store, "s", 20);
      await (await connectAdmin()).sendCommand(["SAVE"]);
      source.write(sseOf(words.slice(20, 40)));
      await heard(followers, 40);
      await server.restart();
      const { store } = await instance();
      expect((await store.inspect("s"))?.lastSeq).toBe(20);
      const late = await followAnswer(other.context, "s");
      source.write(sseOf(words.slice(40)));
      source.end();
      await expectWhole([...followers, late], words);
      expect((await store.inspect("s"))?.lastSeq).toBe(words.length);
    });

    it("may be flushed in the middle", async () => {
      await start();
      const [producer, other] = await Promise.all([instance(), instance()]);
      const { source, followers } = await produceAnswer(producer.context, "s", [other.context]);
      const words = wordsOf(40);
      source.write(sseOf(words.slice(0, 20)));
      await reached(other.store, "s", 20);
      await (await connectAdmin()).flushAll();
      source.write(sseOf(words.slice(20)));
      source.end();
      await expectWhole(followers, words);
    });

    it.each([
      ["less", LEASE_MS / 2],
      ["more", LEASE_MS * 3],
    ])("may be frozen for %s than the lease: nobody is condemned", async (_how, ms) => {
      await start();
      const [producer, other] = await Promise.all([instance(), instance()]);
      const { source, followers } = await produceAnswer(producer.context, "s", [other.context]);
      const words = wordsOf(40);
      source.write(sseOf(words.slice(0, 20)));
      await reached(other.store, "s", 20);
      server.kill("SIGSTOP");
      source.write(sseOf(words.slice(20, 30)));
      await new Promise((resolve) => setTimeout(resolve, ms));
      server.kill("SIGCONT");
      source.write(sseOf(words.slice(30)));
      source.end();
      await expectWhole(followers, words);
    });

    it("may cut every connection", async () => {
      await start();
      const [producer, other] = await Promise.all([instance(), instance()]);
      const { source, followers } = await produceAnswer(producer.context, "s", [other.context]);
      const words = wordsOf(60);
      const admin = await connectAdmin();
      for (let at = 0; at < 60; at += 20) {
        source.write(sseOf(words.slice(at, at + 20)));
        await reached(other.store, "s", at + 20);
        await admin.sendCommand(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        await admin.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"]);
      }
      source.write(sseOf(words.slice(60)));
      source.end();
      await expectWhole(followers, words);
    });

    it("that stays away ends the stream as store-unavailable, and aborts the source", async () => {
      await start();
      const { context, store } = await instance({ storeAwayMs: 1_000 });
      const { source, followers } = await produceAnswer(context, "s", []);
      server.kill("SIGSTOP");
      cleanups.push(() => server.kill("SIGCONT"));
      source.write(sseOf(wordsOf(3)));
      for (const { all } of followers)
        expect(controlOf(await all, "rejoin.end")).toMatchObject({
          status: "error",
          error: { code: "store-unavailable" },
        });
      expect(source.signal()?.aborted).toBe(true);
      server.kill("SIGCONT");
      await until(async () => (await store.status("s").catch(() => "streaming")) !== "streaming");
      expect((await store.inspect("s"))?.error?.code).toBe("store-unavailable");
    });

    it("that comes back empty, and too late, has what was written again, and then that end for everybody", async () => {
      await start();
      const [producer, other] = [await instance({ storeAwayMs: 1_000 }), await instance()];
      const { source, followers } = await produceAnswer(producer.context, "s", [other.context]);
      const words = wordsOf(40);
      source.write(sseOf(words.slice(0, 20)));
      await heard(followers, 20);
      server.kill("SIGKILL");
      source.write(sseOf(words.slice(20)));
      await followers[0]?.all;
      await server.restart();
      for (const { all } of followers) {
        const events = await all;
        expect(payloadsOf(events)).toEqual(words.slice(0, 20));
        expect(controlOf(events, "rejoin.end")).toMatchObject({ error: { code: "store-unavailable" } });
      }
    });
  });

  describe("two processes", () => {
    it("race a thousand times for an id: one of them runs the source each time, and both give its answer", async () => {
      await start();
      const streams = 1_000;
      const names = ["one", "two"];
      const racers = names.map((name) => {
        const task: RacerTask = { client, url: server.url, keyPrefix, name, streams };
        const child = fork(racer, [JSON.stringify(task)], { stdio: "inherit" });
        cleanups.push(() => child.kill("SIGKILL"));
        return child;
      });
      await Promise.all(racers.map((child) => once(child, "message")));
      for (const child of racers) child.send("go");
      const said = await Promise.all(racers.map((child) => once(child, "message")));
      const raced = said.map(([streams]): RacedStream[] => streams);
      for (let stream = 0; stream < streams; stream += 1) {
        const results = raced.map((each) => each[stream]);
        const starts = results.map((result) => result?.starts);
        expect(starts.toSorted()).toEqual([0, 1]);
        const payloads = textPayloads(names[starts.indexOf(1)] ?? "", String(stream));
        for (const result of results) expect(result).toMatchObject({ payloads, end: { status: "done" } });
      }
    });
  });
});
