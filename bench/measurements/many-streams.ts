/** One process with a thousand answers at once, through `run`, Redis and the handler; beside it the bare script. */
import { createClient } from "redis";
import { createResumableStreamContext, createResumableStreamHandler } from "../../src/server/index.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";
import {
  createPushSource,
  FINISH,
  pace,
  sleep,
  stampedEvent,
  stampsIn,
  TEXT_START,
  type PushSource,
} from "../lib/load.ts";
import { ms, times, type Measure } from "../lib/report.ts";
import { percentile, sinceMs, stamp } from "../lib/statistics.ts";

const STREAMS = 1_000;
const PER_STREAM = 20;
const RATE = STREAMS * PER_STREAM;
const WARM_UP_SECONDS = 5;
const SECONDS = 15;
/** Streams that were there before: a process at work has seen many come and go, and its machine code is made for that. */
const EARLIER_STREAMS = 100;
const EARLIER_SECONDS = 3;

interface Load {
  readonly latenciesMs: readonly number[];
  /** Seconds of CPU a second, of this process. */
  readonly cpu: number;
}

/** Sends at the rate, first to warm up, and takes the time of what is delivered then. */
async function load(latenciesMs: number[], send: (lane: number) => void): Promise<number> {
  await pace(RATE, RATE * WARM_UP_SECONDS, STREAMS, send);
  latenciesMs.length = 0;
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await pace(RATE, RATE * SECONDS, STREAMS, send);
  const used = process.cpuUsage(cpu);
  return (used.user + used.system) / 1_000 / (performance.now() - startMs);
}

/** What has to be done at the least: a script that adds an entry and publishes it, and one who listens. */
const BARE = `
redis.call("XADD", KEYS[1], ARGV[1] .. "-0", "p", ARGV[2])
redis.call("PUBLISH", KEYS[1], ARGV[2])
return 1
`;

async function bare(url: string): Promise<Load> {
  const connection = await createClient({ url }).connect();
  // Without a timer a command, as the store does it.
  const client = connection.withCommandOptions({ timeout: 0 });
  const subscriber = await connection.duplicate().connect();
  const hash = await client.scriptLoad(BARE);
  const latenciesMs: number[] = [];
  const prefix = crypto.randomUUID();
  const keys = Array.from({ length: STREAMS }, (_, index) => `${prefix}:${index}`);
  const seqs = new Uint32Array(STREAMS);
  for (const key of keys)
    await subscriber.subscribe(key, (message) => {
      for (const stamped of stampsIn(message)) latenciesMs.push(sinceMs(stamped));
    });
  const answers = new Set<Promise<unknown>>();
  const cpu = await load(latenciesMs, (lane) => {
    const seq = (seqs[lane] ?? 0) + 1;
    seqs[lane] = seq;
    const args = { keys: [keys[lane] ?? ""], arguments: [String(seq), stampedEvent(stamp())] };
    const answer = client.evalSha(hash, args).finally(() => answers.delete(answer));
    answers.add(answer);
  });
  await Promise.all(answers);
  await client.del(keys);
  connection.destroy();
  subscriber.destroy();
  return { latenciesMs, cpu };
}

async function ours(url: string): Promise<Load & { readonly bytesPerStream: number }> {
  const client = await createClient({ url }).connect();
  const store = createRedisResumableStreamStore(client);
  const context = createResumableStreamContext({ store });
  const handler = createResumableStreamHandler({ context, authorize: () => true, basePath: "/streams" });
  const latenciesMs: number[] = [];

  /** Streams that are followed, from the start to what `write` does with them, and to their end. */
  async function live(
    count: number,
    write: (sources: readonly PushSource[]) => Promise<void>,
  ): Promise<void> {
    const prefix = crypto.randomUUID();
    const sources = Array.from({ length: count }, () => createPushSource());
    const reading: Promise<void>[] = [];
    await Promise.all(
      sources.map(async ({ chunks }, index) => {
        const id = `${prefix}${index}`;
        const options = { protocol: assistantStream, owner: null };
        await (await context.run(id, () => chunks, options)).cancel();
        const response = await handler(new Request(`http://localhost/streams/${id}?control=1`));
        if (response.body === null) throw new Error(`The handler answered ${response.status}.`);
        reading.push(read(response.body.getReader(), latenciesMs));
      }),
    );
    for (const source of sources) source.push(TEXT_START);
    await sleep(2_000);
    await write(sources);
    // What is on its way is delivered before a thousand answers end at once.
    await sleep(1_000);
    for (const source of sources) {
      source.push(FINISH);
      source.end();
    }
    await Promise.all(reading);
    await Promise.all(sources.map((_, index) => context.delete(`${prefix}${index}`)));
  }

  const send = (sources: readonly PushSource[]) => (lane: number) =>
    sources[lane]?.push(stampedEvent(stamp()));
  await live(EARLIER_STREAMS, (sources) =>
    pace(
      EARLIER_STREAMS * PER_STREAM,
      EARLIER_STREAMS * PER_STREAM * EARLIER_SECONDS,
      EARLIER_STREAMS,
      send(sources),
    ),
  );
  const before = usedBytes();
  let bytesPerStream = 0;
  let cpu = 0;
  await live(STREAMS, async (sources) => {
    bytesPerStream = (usedBytes() - before) / STREAMS;
    cpu = await load(latenciesMs, send(sources));
  });
  await context.close();
  await store.close();
  client.destroy();
  return { latenciesMs, cpu, bytesPerStream };
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>, latenciesMs: number[]): Promise<void> {
  const decoder = new TextDecoder();
  for (let result = await reader.read(); !result.done; result = await reader.read())
    for (const stamped of stampsIn(decoder.decode(result.value))) latenciesMs.push(sinceMs(stamped));
}

function usedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export const measure: Measure = async (url) => {
  const raw = await bare(url);
  const rejoin = await ours(url);
  const [rawP99, p99] = [percentile(raw.latenciesMs, 0.99), percentile(rejoin.latenciesMs, 0.99)];
  return {
    title: "1,000 live streams in one process",
    how: `${PER_STREAM} events/s each, ${SECONDS} s after ${WARM_UP_SECONDS} s to warm up, in a process that had ${EARLIER_STREAMS} streams before: source, \`context.run\`, Redis, handler and reader in one process; beside it one script with XADD and PUBLISH, and a listener, at the same rate.`,
    figures: [
      {
        what: "delivery, p50",
        rejoin: ms(percentile(rejoin.latenciesMs, 0.5)),
        raw: ms(percentile(raw.latenciesMs, 0.5)),
      },
      {
        what: "delivery, p99",
        rejoin: ms(p99),
        raw: ms(rawP99),
        bar: "<= 10 ms more",
        isMet: p99 <= rawP99 + 10,
      },
      {
        what: "CPU of the process",
        rejoin: `${(rejoin.cpu * 100).toFixed(0)} %, ${times(rejoin.cpu / raw.cpu)}`,
        raw: `${(raw.cpu * 100).toFixed(0)} %`,
        bar: "<= 3x",
        isMet: rejoin.cpu <= raw.cpu * 3,
      },
      { what: "memory a live, followed stream", rejoin: `${(rejoin.bytesPerStream / 1_000).toFixed(1)} KB` },
    ],
  };
};
