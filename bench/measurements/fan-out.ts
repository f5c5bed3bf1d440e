/** One stream that many follow in one process: what Redis does for an event. */
import { createClient } from "redis";
import { createResumableStreamContext } from "../../src/server/index.ts";
import { createRedisResumableStreamStore } from "../../src/server/redis.ts";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";
import { createPushSource, FINISH, pace, sleep, stampedEvent, TEXT_START } from "../lib/load.ts";
import { startFollower } from "../lib/processes.ts";
import { times, type Measure } from "../lib/report.ts";
import { commandsBetween, readMeters } from "../lib/redis-meter.ts";
import { stamp } from "../lib/statistics.ts";

const EVENTS = 1_000;
const PER_SECOND = 200;

interface Work {
  readonly commands: number;
  readonly outputBytes: number;
  readonly cpuMicros: number;
}

export const measure: Measure = async (url) => {
  const admin = await createClient({ url }).connect();
  const client = await createClient({ url }).connect();
  const store = createRedisResumableStreamStore(client);
  const context = createResumableStreamContext({ store });

  async function work(followers: number): Promise<Work> {
    const prefix = crypto.randomUUID();
    const source = createPushSource();
    const options = { protocol: assistantStream, owner: null };
    await (await context.run(`${prefix}0`, () => source.chunks, options)).cancel();
    source.push(TEXT_START);
    const follower = startFollower(url, { task: "stay", count: followers, streams: 1, prefix });
    await follower.message();
    await sleep(500);
    const before = await readMeters(admin);
    await pace(PER_SECOND, EVENTS, 1, () => source.push(stampedEvent(stamp())));
    await sleep(200);
    const after = await readMeters(admin);
    source.push(FINISH);
    source.end();
    await follower.end();
    return {
      commands: commandsBetween(before, after) / EVENTS,
      outputBytes: (after.outputBytes - before.outputBytes) / EVENTS,
      cpuMicros: ((after.cpuSeconds - before.cpuSeconds) / EVENTS) * 1e6,
    };
  }

  await work(1);
  const one = await work(1);
  const many = await work(500);
  await context.close();
  await store.close();
  client.destroy();
  admin.destroy();

  const bytesRatio = many.outputBytes / one.outputBytes;
  const commandsRatio = many.commands / one.commands;
  return {
    title: "One stream, 500 followers in a process",
    how: `What Redis does for each of ${EVENTS} events at ${PER_SECOND}/s, beside the same with one follower.`,
    figures: [
      {
        what: "commands an event",
        rejoin: `${many.commands.toFixed(2)}, ${times(commandsRatio)}`,
        raw: `one follower ${one.commands.toFixed(2)}`,
        bar: "does not grow",
        isMet: commandsRatio <= 1.05,
      },
      {
        what: "bytes that Redis sends an event",
        rejoin: `${many.outputBytes.toFixed(0)}, ${times(bytesRatio)}`,
        raw: `one follower ${one.outputBytes.toFixed(0)}`,
        bar: "does not grow",
        isMet: bytesRatio <= 1.05,
      },
      {
        what: "CPU time of Redis an event",
        rejoin: `${many.cpuMicros.toFixed(0)} us`,
        raw: `one follower ${one.cpuMicros.toFixed(0)} us`,
      },
    ],
  };
};
