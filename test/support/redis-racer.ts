/** A process of its own that runs many streams, as another one does at the same time: says `ready`, and begins when it is told. */
import { once } from "node:events";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { openRedisStore, type RedisClientName } from "./redis-stores.ts";
import { controlOf, payloadsOf, readEvents } from "./sse-client.ts";
import { sseOf, textPayloads, textProtocol } from "./text-protocol.ts";

/** What such a process is asked. */
export interface RacerTask {
  readonly client: RedisClientName;
  readonly url: string;
  readonly keyPrefix: string;
  /** What its sources say, so that it is known whose answer was read. */
  readonly name: string;
  /** How many streams: `0`, `1`, … */
  readonly streams: number;
}

/** What it says in the end, of each stream. */
export interface RacedStream {
  /** How often its source was started here. */
  readonly starts: number;
  readonly payloads: readonly string[];
  readonly end: unknown;
}

/** Streams that are under way at once. */
const AT_ONCE = 20;

const [taskText = ""] = process.argv.slice(2);
const { client, url, keyPrefix, name, streams }: RacerTask = JSON.parse(taskText);
const { store, close } = await openRedisStore(client, url, { keyPrefix });
const context = createResumableStreamContext({ store });

async function runOne(stream: number): Promise<RacedStream> {
  let starts = 0;
  const body = await context.run(
    String(stream),
    async function* () {
      starts += 1;
      for (const payload of textPayloads(name, String(stream))) yield sseOf([payload]);
    },
    { protocol: textProtocol, owner: null, control: true },
  );
  const events = await readEvents(new Response(body));
  return { starts, payloads: payloadsOf(events), end: controlOf(events, "rejoin.end") };
}

process.send?.("ready");
await once(process, "message");
const raced: RacedStream[] = [];
let next = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (next < streams) {
      const stream = next;
      next += 1;
      raced[stream] = await runOne(stream);
    }
  }),
);
process.send?.(raced);
await context.close();
await close();
process.disconnect();
