/** assistant-stream/resumable on node-redis, with its defaults. */
import { createResumableStreamContext } from "assistant-stream/resumable";
import { createRedisResumableStreamStore } from "assistant-stream/resumable/redis";
import { createClient } from "redis";
import type { System } from "../lib/system.ts";

export const system: System = {
  async connect(url) {
    const client = await createClient({ url }).connect();
    const store = createRedisResumableStreamStore(client);
    let written: Promise<unknown> = Promise.resolve();
    const context = createResumableStreamContext({
      store,
      waitUntil: (done) => {
        written = done;
      },
    });
    return {
      async write(streamId, chunks) {
        const encoder = new TextEncoder();
        const source = async function* (): AsyncGenerator<Uint8Array> {
          for await (const chunk of chunks) yield encoder.encode(chunk);
        };
        const own = await context.run(streamId, () => ReadableStream.from(source()));
        await own.cancel();
        await written;
      },
      async *read(streamId) {
        const decoder = new TextDecoder();
        for await (const chunk of await context.requireResume(streamId)) {
          yield decoder.decode(chunk, { stream: true });
        }
      },
      async close() {
        client.destroy();
      },
    };
  },
};
