/** Redis is away, or answers too late, just when a stream is to be started. */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { createIoredisResumableStreamStore } from "../../src/server/ioredis.ts";
import { createRedisResumableStreamStore, type RedisResumableStreamStore } from "../../src/server/redis.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { controlOf, payloadsOf, readEvents } from "../support/sse-client.ts";
import { streamOf } from "../support/streams.ts";
import { sseOf, textPayloads, textProtocol } from "../support/text-protocol.ts";

// A command that has no answer takes its time to fail.
vi.setConfig({ testTimeout: 30_000 });

const words = textPayloads("one ", "two ", "three");
const options = { protocol: textProtocol, owner: null, control: true };

let server: RedisServer;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  server = await startRedis();
  cleanups.push(() => server.stop());
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function onNodeRedis(url: string): Promise<RedisResumableStreamStore> {
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  cleanups.push(() => client.destroy());
  return createRedisResumableStreamStore(client);
}

async function onIoredis(url: string): Promise<RedisResumableStreamStore> {
  const client = new Redis(url);
  client.on("error", () => {});
  cleanups.push(() => client.disconnect());
  return createIoredisResumableStreamStore(client);
}

describe.each([
  ["node-redis", onNodeRedis],
  ["ioredis", onIoredis],
])("on %s", (_name, openStore) => {
  it("a stream that Redis opens too late is produced, once, and followed to its end", async () => {
    const store = await openStore(server.url);
    const context = createResumableStreamContext({ store, onError: () => {} });
    cleanups.push(() => context.close());
    await store.status("warm-up");
    let starts = 0;
    const run = async () => {
      const source = () => {
        starts += 1;
        return streamOf(sseOf(words));
      };
      return readEvents(new Response(await context.run("s", source, options)));
    };
    server.kill("SIGSTOP");
    const running = run();
    // Longer than a command is waited for.
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    server.kill("SIGCONT");
    for (const events of [await running, await run()]) {
      expect(payloadsOf(events)).toEqual(words);
      expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
    }
    expect(starts).toBe(1);
  });

  it("a stream whose thread key cannot be set is produced, and its key is set later", async () => {
    const admin = await createClient({ url: server.url }).connect();
    cleanups.push(() => admin.destroy());
    const user = ["ACL", "SETUSER", "app", "reset", "on", ">secret", "+@all", "allchannels"];
    await admin.sendCommand([...user, "~rejoin:{*"]);
    const store = await openStore(server.url.replace("//", "//app:secret@"));
    const opening = await store.open("s", { owner: null, protocol: "test", thread: "chat" });
    expect(opening.role).toBe("producer");
    await admin.sendCommand([...user, "allkeys"]);
    await vi.waitUntil(async () => (await store.find("chat"))?.streamId === "s", { timeout: 5_000 });
  });
});
