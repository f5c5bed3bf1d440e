/** rejoin: events through `context.run`, followed through `context.resume`. */
import { createClient } from "redis";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";
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
        const own = await context.run(streamId, () => chunks, { protocol: assistantStream, owner: null });
        await own.cancel();
        await written;
      },
      async *read(streamId) {
        const body = await context.requireResume(streamId, { control: true });
        const decoder = new TextDecoder();
        for await (const chunk of body) yield decoder.decode(chunk, { stream: true });
      },
      async close() {
        await context.close();
        await store.close();
        client.destroy();
      },
    };
  },
};
