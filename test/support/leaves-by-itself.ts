/** A process of its own that uses the stores and closes what it opened, and then has nothing left to do. */
import { createClient } from "redis";
import { createInMemoryResumableStreamStore, createResumableStreamContext } from "../../src/server/index.ts";
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

const client = await createClient({ url }).connect();
const store = createRedisResumableStreamStore(client, { keyPrefix: crypto.randomUUID() });
const context = createResumableStreamContext({ store });
const reader = (await context.run("s", never, options)).getReader();
await reader.read();
await reader.cancel();
await store.close();
client.destroy();
process.send?.("done", () => process.disconnect());
