/** A process of its own that produces an answer into Redis: run by `startProducerProcess`, to be killed. */
import { createClient } from "redis";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { textPayloads, textProtocol } from "./text-protocol.ts";

const [url = "", keyPrefix = "", streamId = "", leaseMs = "", words = "", everyMs = ""] =
  process.argv.slice(2);

const client = createClient({ url });
client.on("error", () => {});
await client.connect();
const store = createRedisResumableStreamStore(client, { keyPrefix });
const context = createResumableStreamContext({ store, leaseMs: Number(leaseMs) });

async function* source(): AsyncGenerator<string> {
  for (const payload of textPayloads(...Array.from({ length: Number(words) }, (_, index) => `${index} `))) {
    await new Promise((resolve) => setTimeout(resolve, Number(everyMs)));
    yield `data: ${payload}\n\n`;
  }
}

const stream = await context.run(streamId, source, {
  protocol: textProtocol,
  owner: null,
  onFinish: ({ status, message }) => process.send?.({ status, message }),
});
process.send?.("started");
await stream.cancel();
