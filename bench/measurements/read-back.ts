/** Reading an answer of 50,000 entries that is there already. */
import { createClient } from "redis";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { stampedEvent } from "../lib/load.ts";
import { ms, times, type Measure } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";
import { loadSystem } from "../lib/system.ts";

const ENTRIES = 50_000;
const PEER_ENTRIES = 50_000;
const ROUNDS = 9;

interface Reading {
  readonly allMs: number;
  readonly firstMs: number;
}

export const measure: Measure = async (url) => {
  const client = await createClient({ url }).connect();
  const store = createRedisResumableStreamStore(client);
  let written: Promise<unknown> = Promise.resolve();
  const context = createResumableStreamContext({ store, waitUntil: (done) => void (written = done) });
  const payload = Buffer.from(stampedEvent("1234567890123456"));
  const id = crypto.randomUUID();
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < ENTRIES; index += 1) yield payload;
  };
  await (await context.run(id, () => source())).cancel();
  await written;
  const generation = (await context.inspect(id))?.generation ?? "";
  const key = `rejoin:{${id}}:data:${generation}`;

  async function raw(): Promise<Reading> {
    const startMs = performance.now();
    const entries = await client.xRange(key, "-", "+");
    const allMs = performance.now() - startMs;
    if (entries?.length !== ENTRIES) throw new Error(`XRANGE read ${entries?.length} entries.`);
    return { allMs, firstMs: allMs };
  }

  async function ours(): Promise<Reading> {
    const startMs = performance.now();
    let firstMs = 0;
    let count = 0;
    for await (const item of store.follow(id, "", new AbortController().signal)) {
      if (item.type !== "entries") continue;
      firstMs ||= performance.now() - startMs;
      count += item.payloads.length;
    }
    const allMs = performance.now() - startMs;
    if (count !== ENTRIES) throw new Error(`rejoin read ${count} entries.`);
    return { allMs, firstMs };
  }

  async function resumed(): Promise<number> {
    const startMs = performance.now();
    let bytes = 0;
    for await (const chunk of await context.requireResume(id)) bytes += chunk.byteLength;
    if (bytes !== ENTRIES * payload.byteLength) throw new Error(`rejoin read ${bytes} bytes.`);
    return performance.now() - startMs;
  }

  /** Megabytes at most that a reading holds at once. */
  async function held(read: (look: () => Promise<void>) => Promise<unknown>): Promise<number> {
    const size = async (): Promise<number> => {
      let least = Infinity;
      // What one collection lets go of, the next one finds.
      for (let time = 0; time < 5; time += 1) {
        globalThis.gc?.();
        await new Promise((resolve) => setImmediate(resolve));
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        least = Math.min(least, heapUsed + arrayBuffers);
      }
      return least;
    };
    const before = await size();
    let most = 0;
    await read(async () => {
      most = Math.max(most, (await size()) - before);
    });
    return most / 1e6;
  }

  await raw();
  await ours();
  const readings = { raw: [] as Reading[], ours: [] as Reading[], resumed: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    readings.raw.push(await raw());
    readings.ours.push(await ours());
    readings.resumed.push(await resumed());
  }
  const rawHeld = await held(async (look) => {
    const entries = await client.xRange(key, "-", "+");
    await look();
    return entries?.length;
  });
  const ourHeld = await held(async (look) => {
    for await (const _item of store.follow(id, "", new AbortController().signal)) await look();
  });
  await context.delete(id);

  const peer = await (await loadSystem("assistant-stream")).connect(url);
  const peerId = crypto.randomUUID();
  const text = async function* (): AsyncGenerator<string> {
    for (let index = 0; index < PEER_ENTRIES; index += 1) yield "x".repeat(payload.byteLength);
  };
  await peer.write(peerId, text());
  const peerReadings: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const startMs = performance.now();
    for await (const _text of peer.read(peerId));
    peerReadings.push(performance.now() - startMs);
  }
  await peer.close();
  await context.close();
  await store.close();
  client.destroy();

  const rawMs = median(readings.raw.map(({ allMs }) => allMs));
  const oursMs = median(readings.ours.map(({ allMs }) => allMs));
  const firstMs = median(readings.ours.map(({ firstMs: first }) => first));
  return {
    title: "Reading back 50,000 entries",
    how: `Median of ${ROUNDS} interleaved rounds on a stream of bytes that has ended: \`store.follow\`, which every response is made of, and one raw XRANGE. \`context.resume\` hands each entry out as a chunk of its own.`,
    figures: [
      {
        what: "all entries",
        rejoin: `${ms(oursMs)}, ${times(oursMs / rawMs)}`,
        raw: ms(rawMs),
        peers: `assistant-stream ${ms(median(peerReadings))}`,
        bar: "<= 1.25x",
        isMet: oursMs <= rawMs * 1.25,
      },
      { what: "all bytes, through `context.resume`", rejoin: ms(median(readings.resumed)) },
      { what: "the first", rejoin: ms(firstMs), raw: ms(rawMs), bar: "<= 15 ms", isMet: firstMs <= 15 },
      {
        what: "held in memory at most",
        rejoin: `${ourHeld.toFixed(1)} MB`,
        raw: `${rawHeld.toFixed(1)} MB`,
        bar: "pages, not the log",
        isMet: ourHeld < rawHeld / 5,
      },
    ],
  };
};
