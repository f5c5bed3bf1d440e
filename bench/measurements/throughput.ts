/** A source that is faster than Redis. */
import { createClient } from "redis";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";
import { FINISH, stampedEvent, TEXT_START } from "../lib/load.ts";
import { times, type Measure } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";
import { loadSystem, type SystemName } from "../lib/system.ts";

const ENTRIES = 50_000;
const PEER_ENTRIES = 5_000;
const ROUNDS = 7;
/** Commands that are sent before the first answer is waited for; the fastest of several. */
const PIPELINE = 1_000;

const chunk = stampedEvent("1234567890123456");

async function* chunks(count: number): AsyncGenerator<string> {
  yield TEXT_START;
  for (let index = 0; index < count - 2; index += 1) yield chunk;
  yield FINISH;
}

export const measure: Measure = async (url) => {
  const client = await createClient({ url }).connect();
  const store = createRedisResumableStreamStore(client);
  let written: Promise<unknown> = Promise.resolve();
  const context = createResumableStreamContext({ store, waitUntil: (done) => void (written = done) });
  const payload = Buffer.from(chunk);

  async function raw(): Promise<void> {
    const key = `raw:${crypto.randomUUID()}`;
    for (let from = 0; from < ENTRIES; from += PIPELINE) {
      const answers: Promise<unknown>[] = [];
      for (let seq = from + 1; seq <= from + PIPELINE; seq += 1)
        answers.push(client.xAdd(key, `${seq}-0`, { p: payload }));
      await Promise.all(answers);
    }
    await client.del(key);
  }

  async function bytes(): Promise<void> {
    const id = crypto.randomUUID();
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < ENTRIES; index += 1) yield payload;
    };
    await (await context.run(id, () => source())).cancel();
    await finish(id);
  }

  async function events(): Promise<void> {
    const id = crypto.randomUUID();
    const options = { protocol: assistantStream, owner: null };
    await (await context.run(id, () => chunks(ENTRIES), options)).cancel();
    await finish(id);
  }

  /** Waits until all is written, and sees that it is. */
  async function finish(id: string): Promise<void> {
    await written;
    const record = await context.inspect(id);
    if (record?.status !== "done" || record.lastSeq !== ENTRIES)
      throw new Error(`A stream ended as ${record?.status} after ${record?.lastSeq} entries.`);
    await context.delete(id);
  }

  const rates = { raw: [] as number[], bytes: [] as number[], events: [] as number[] };
  const rate = async (run: () => Promise<void>, count: number): Promise<number> => {
    const startMs = performance.now();
    await run();
    return count / ((performance.now() - startMs) / 1_000);
  };
  await events();
  for (let round = 0; round < ROUNDS; round += 1) {
    rates.raw.push(await rate(raw, ENTRIES));
    rates.bytes.push(await rate(bytes, ENTRIES));
    rates.events.push(await rate(events, ENTRIES));
  }
  const peer = async (name: SystemName): Promise<string> => {
    const connection = await (await loadSystem(name)).connect(url);
    const write = (): Promise<void> => connection.write(crypto.randomUUID(), chunks(PEER_ENTRIES));
    const found = [await rate(write, PEER_ENTRIES), await rate(write, PEER_ENTRIES)];
    await connection.close();
    return `${name} ${perSecond(Math.max(...found))}`;
  };
  const peers = `${await peer("assistant-stream")}, ${await peer("resumable-stream")} (stores nothing)`;
  await context.close();
  await store.close();
  client.destroy();

  const [rawRate, bytesRate, eventsRate] = [median(rates.raw), median(rates.bytes), median(rates.events)];
  return {
    title: "A source faster than Redis",
    how: `Median of ${ROUNDS} interleaved rounds of ${ENTRIES.toLocaleString("en")} entries of ${payload.byteLength} bytes, to the end in the log; raw XADD pipelined ${PIPELINE.toLocaleString("en")} at a time by the same client.`,
    figures: [
      {
        what: "bytes, through `context.run`",
        rejoin: `${perSecond(bytesRate)}, ${times(bytesRate / rawRate)}`,
        raw: perSecond(rawRate),
        peers,
        bar: ">= 1x",
        isMet: bytesRate >= rawRate,
      },
      {
        what: "events, with framing and fold",
        rejoin: `${perSecond(eventsRate)}, ${times(eventsRate / rawRate)}`,
        raw: perSecond(rawRate),
        bar: ">= 0.5x",
        isMet: eventsRate >= rawRate / 2,
      },
    ],
  };
};

function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString("en")}/s`;
}
