/** A process of its own that produces an answer into Redis, and says what it does: run by `startProducer`, to be killed or frozen. */
import { createResumableStreamContext } from "../../src/server/index.ts";
import { openRedisStore, type RedisClientName } from "./redis-stores.ts";
import { textPayloads, textProtocol, type TextMessage } from "./text-protocol.ts";

/** What such a process is asked. */
export interface ProducerTask {
  readonly client: RedisClientName;
  readonly url: string;
  readonly keyPrefix: string;
  readonly streamId: string;
  readonly leaseMs: number;
  /** How many words, and milliseconds before each. */
  readonly words: number;
  readonly everyMs: number;
}

/** What it says: the stream has begun, each hook, the source's signal, and, last, that the producer is done. */
export type ProducerMessage =
  | { readonly type: "started" | "appended" | "aborted" | "done" }
  | { readonly type: "finalized"; readonly status: string }
  | { readonly type: "finished"; readonly status: string; readonly message: TextMessage };

const [taskText = ""] = process.argv.slice(2);
const { client, url, keyPrefix, streamId, leaseMs, words, everyMs }: ProducerTask = JSON.parse(taskText);
const say = (message: ProducerMessage): void => void process.send?.(message);

const { store } = await openRedisStore(client, url, { keyPrefix });
const context = createResumableStreamContext({
  store,
  leaseMs,
  onAppend: () => say({ type: "appended" }),
  onFinalize: (_id, status) => say({ type: "finalized", status }),
  onError: () => {},
  waitUntil: (done) => void done.then(() => say({ type: "done" })),
});

async function* source({ signal }: { signal: AbortSignal }): AsyncGenerator<string> {
  signal.addEventListener("abort", () => say({ type: "aborted" }));
  for (const payload of textPayloads(...Array.from({ length: words }, (_, index) => `${index} `))) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    yield `data: ${payload}\n\n`;
  }
}

const stream = await context.run(streamId, source, {
  protocol: textProtocol,
  owner: null,
  onFinish: ({ status, message }) => say({ type: "finished", status, message }),
});
say({ type: "started" });
await stream.cancel();
