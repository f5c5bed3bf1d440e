/** How long a stop takes from one instance to the producer on another. */
import { createClient } from "redis";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";
import { createPushSource, stampedEvent, TEXT_START } from "../lib/load.ts";
import { ms, type Measure } from "../lib/report.ts";
import { percentile, stamp } from "../lib/statistics.ts";

const ROUNDS = 200;

export const measure: Measure = async (url) => {
  const instances = await Promise.all(
    Array.from({ length: 2 }, async () => {
      const client = await createClient({ url }).connect();
      const store = createRedisResumableStreamStore(client);
      return { client, store, context: createResumableStreamContext({ store }) };
    }),
  );
  const [producing, stopping] = instances;
  if (producing === undefined || stopping === undefined) throw new Error("There are not two instances.");
  const latenciesMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const id = crypto.randomUUID();
    const source = createPushSource();
    const aborted = Promise.withResolvers<number>();
    const makeSource = ({ signal }: { signal: AbortSignal }): AsyncIterable<string> => {
      signal.addEventListener("abort", () => aborted.resolve(performance.now()));
      return source.chunks;
    };
    const body = await producing.context.run(id, makeSource, { protocol: assistantStream, owner: null });
    source.push(TEXT_START);
    source.push(stampedEvent(stamp()));
    const reader = body.getReader();
    await reader.read();
    const startMs = performance.now();
    await stopping.context.stop(id);
    latenciesMs.push((await aborted.promise) - startMs);
    await reader.cancel();
  }
  for (const { client, store, context } of instances) {
    await context.close();
    await store.close();
    client.destroy();
  }
  const most = Math.max(...latenciesMs);
  return {
    title: "Stop, from another instance",
    how: `From the call on one instance to the producer's signal on another, ${ROUNDS} times.`,
    figures: [
      { what: "p50", rejoin: ms(percentile(latenciesMs, 0.5)) },
      { what: "at most", rejoin: ms(most), bar: "<= 100 ms", isMet: most <= 100 },
    ],
  };
};
