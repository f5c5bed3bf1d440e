/** The raw parts: XADD, and a blocking XREAD on a connection of its own. */
import { createClient } from "redis";
import type { System } from "../lib/system.ts";

const END = "end";

export const system: System = {
  async connect(url) {
    const client = await createClient({ url }).connect();
    return {
      async write(streamId, chunks) {
        const key = `raw:${streamId}`;
        let seq = 0;
        for await (const chunk of chunks) {
          seq += 1;
          await client.xAdd(key, `${seq}-0`, { p: chunk });
        }
        await client.xAdd(key, `${seq + 1}-0`, { p: END });
      },
      async *read(streamId) {
        const reader = await client.duplicate().connect();
        let id = "0";
        try {
          for (;;) {
            const reply = await reader.xRead({ key: `raw:${streamId}`, id }, { BLOCK: 0, COUNT: 1_000 });
            for (const stream of Array.isArray(reply) ? reply : []) {
              for (const message of readMessages(stream)) {
                id = message.id;
                if (message.text === END) return;
                yield message.text;
              }
            }
          }
        } finally {
          reader.destroy();
        }
      },
      async close() {
        client.destroy();
      },
    };
  },
};

function readMessages(stream: unknown): { readonly id: string; readonly text: string }[] {
  if (typeof stream !== "object" || stream === null || !("messages" in stream)) return [];
  return (Array.isArray(stream.messages) ? stream.messages : []).map((entry: unknown) => {
    if (typeof entry !== "object" || entry === null || !("id" in entry) || !("message" in entry)) {
      throw new Error("This is not a reply of XREAD.");
    }
    const { message } = entry;
    const text = typeof message === "object" && message !== null && "p" in message ? String(message.p) : "";
    return { id: String(entry.id), text };
  });
}
