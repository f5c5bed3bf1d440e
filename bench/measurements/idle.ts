/** What followers cost Redis while nothing is said. */
import { createClient } from "redis";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";
import { createPushSource, FINISH, sleep } from "../lib/load.ts";
import { startFollower } from "../lib/processes.ts";
import type { Figure, Measure } from "../lib/report.ts";
import { commandsBetween, readMeters } from "../lib/redis-meter.ts";

const WATCH_MS = 20_000;

interface Idle {
  readonly commandsPerSecond: number;
  readonly connections: number;
}

export const measure: Measure = async (url) => {
  const admin = await createClient({ url }).connect();

  async function watch(followers: number, streams: number): Promise<Idle> {
    const client = await createClient({ url }).connect();
    const store = createRedisResumableStreamStore(client);
    const context = createResumableStreamContext({ store });
    const prefix = crypto.randomUUID();
    const sources = Array.from({ length: streams }, () => createPushSource());
    await Promise.all(
      sources.map(async ({ chunks }, index) => {
        const options = { protocol: assistantStream, owner: null };
        await (await context.run(`${prefix}${index}`, () => chunks, options)).cancel();
      }),
    );
    const alone = await readMeters(admin);
    const follower = startFollower(url, { task: "stay", count: followers, streams, prefix });
    await follower.message();
    await sleep(1_000);
    const before = await readMeters(admin);
    await sleep(WATCH_MS);
    const after = await readMeters(admin);
    for (const source of sources) {
      source.push(FINISH);
      source.end();
    }
    await follower.end();
    await context.close();
    await store.close();
    client.destroy();
    return {
      commandsPerSecond: (commandsBetween(before, after) / WATCH_MS) * 1_000,
      connections: before.connections - alone.connections,
    };
  }

  const one = await watch(1, 1);
  const many = await watch(500, 1);
  const wide = await watch(5_000, 5_000);
  admin.destroy();

  const more = Math.max(0, (many.commandsPerSecond - one.commandsPerSecond) / 499);
  const perStream = wide.commandsPerSecond / 5_000;
  const connections = (what: string, { connections: count }: Idle): Figure => ({
    what: `connections of a process with ${what}`,
    rejoin: `${count}: the app's own, and ${count - 1}`,
    bar: "one more",
    isMet: count === 2,
  });
  return {
    title: "Idle followers",
    how: `Commands of all clients in ${WATCH_MS / 1_000} s of silence, followers in one process and producers, who renew their leases of 10 s, in another.`,
    figures: [
      {
        what: "one more follower of a stream",
        rejoin: `${more.toFixed(3)} commands/s (500 followers: ${many.commandsPerSecond.toFixed(2)}/s, one: ${one.commandsPerSecond.toFixed(2)}/s)`,
        peers: "assistant-stream 20/s: it polls",
        bar: "0",
        isMet: more < 0.001,
      },
      {
        what: "a followed stream, its producer's renewals and all (5,000 followers of 5,000)",
        rejoin: `${perStream.toFixed(2)} commands/s`,
        bar: "<= 0.4/s",
        isMet: perStream <= 0.4,
      },
      connections("500 followers of one stream", many),
      connections("5,000 followers of 5,000 streams", wide),
    ],
  };
};
