/** A process of its own that uses the stores, closes its own connections, and then has nothing left to do. */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { createInMemoryResumableStreamStore, createResumableStreamContext } from "../../src/server/index.ts";
import { createIoredisResumableStreamStore } from "../../src/server/ioredis.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { textProtocol } from "./text-protocol.ts";

const [url = ""] = process.argv.slice(2);
const never = async function* (): AsyncGenerator<string> {
  await new Promise(() => {});
  yield "";
};
const options = { protocol: textProtocol, owner: null };

// Nobody closes this one: a live stream, with a producer, a lease and a follower that waits for a heartbeat.
const inMemory = createResumableStreamContext({ store: createInMemoryResumableStreamStore() });
void (await inMemory.run("s", never, options)).getReader().read();

// Nor these: a store listens for each as long as its stream is live.
const client = await createClient({ url }).connect();
const io = new Redis(url);
for (const store of [createRedisResumableStreamStore(client), createIoredisResumableStreamStore(io)]) {
  const context = createResumableStreamContext({ store });
  const reader = (await context.run(crypto.randomUUID(), never, options)).getReader();
  await reader.read();
  void reader.read();
}
client.destroy();
io.disconnect();
process.send?.("done", () => process.disconnect());
