/** A process of its own that begins to listen while Redis is gone, gives up, and then has nothing left to do. */
import { once } from "node:events";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { createIoredisResumableStreamStore } from "../../src/server/ioredis.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";

const [url = ""] = process.argv.slice(2);
const opening = { owner: null, protocol: "test", leaseMs: 60_000 } as const;

/** Keeps what a client's `duplicate` makes. */
function duplicatesOf<TClient extends { duplicate(options?: object): TClient }>(client: TClient): TClient[] {
  const made: TClient[] = [];
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (options) => {
    const one = duplicate(options);
    made.push(one);
    return one;
  };
  return made;
}

const client = createClient({ url });
const io = new Redis(url);
for (const one of [client, io]) one.on("error", () => {});
await client.connect();
const made = [duplicatesOf(client), duplicatesOf(io)] as const;
const stores = [createRedisResumableStreamStore(client), createIoredisResumableStreamStore(io)];
const leases = await Promise.all(
  stores.map(async (store, index) => {
    const opened = await store.open(`s-${index}`, opening);
    if (opened.role !== "producer") throw new Error("not the producer");
    return opened.lease;
  }),
);
process.send?.("ready");
await once(process, "message");
for (const [index, store] of stores.entries()) {
  const lease = leases[index];
  if (lease !== undefined) store.watchLease(`s-${index}`, lease, () => {});
}
// It is tried again and again.
while (made.some((duplicates) => duplicates.length < 6))
  await new Promise((resolve) => setTimeout(resolve, 20));
const open = [
  made[0].filter(({ isOpen }) => isOpen).length,
  made[1].filter(({ status }) => status !== "end").length,
];
for (const store of stores) await store.close();
client.destroy();
io.disconnect();
process.send?.(open, () => process.disconnect());
