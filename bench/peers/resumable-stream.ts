/** resumable-stream on node-redis, with its defaults. It publishes, and stores nothing of a stream but that there is one. */
import { createClient } from "redis";
import { createResumableStreamContext } from "resumable-stream";
import type { System } from "../lib/system.ts";

export const system: System = {
  async connect(url) {
    const publisher = await createClient({ url }).connect();
    const subscriber = await publisher.duplicate().connect();
    const written: Promise<unknown>[] = [];
    const context = createResumableStreamContext({
      waitUntil: (promise) => void written.push(promise),
      publisher,
      subscriber,
    });
    return {
      async write(streamId, chunks) {
        const own = await context.createNewResumableStream(streamId, () => ReadableStream.from(chunks));
        if (own === null) throw new Error("The stream was there already.");
        for await (const _chunk of own);
        await Promise.all(written);
      },
      async *read(streamId) {
        const stream = await context.resumeExistingStream(streamId);
        if (stream) yield* stream;
      },
      async close() {
        await Promise.all([publisher.close(), subscriber.close()]);
      },
    };
  },
};
