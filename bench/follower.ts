/** A process of its own that follows: another instance of a server. Told what to follow; tells how long events took. */
import { createClient } from "redis";
import { createResumableStreamContext } from "../src/server/index.ts";
import { createRedisResumableStreamStore } from "../src/server/redis.ts";
import { stampsIn } from "./lib/load.ts";
import { sinceMs } from "./lib/statistics.ts";
import { loadSystem, type SystemName } from "./lib/system.ts";

/** What a follower process is asked. */
export type FollowerTask =
  | { readonly task: "time"; readonly systems: readonly SystemName[]; readonly streamId: string }
  /** Followers of rejoin's that stay: `count` of them, on `streams` streams in turn. */
  | { readonly task: "stay"; readonly count: number; readonly streams: number; readonly prefix: string };

const [url = "", taskText = ""] = process.argv.slice(2);
const task: FollowerTask = JSON.parse(taskText);

if (task.task === "time") {
  const all = task.systems.map(async (name) => {
    const connection = await (await loadSystem(name)).connect(url);
    const latenciesMs: number[] = [];
    for await (const text of connection.read(task.streamId))
      for (const stamped of stampsIn(text)) latenciesMs.push(sinceMs(stamped));
    await connection.close();
    return [name, latenciesMs] as const;
  });
  process.send?.("ready");
  const found = Object.fromEntries(await Promise.all(all));
  process.once("message", () => process.disconnect());
  process.send?.(found);
} else {
  const client = await createClient({ url }).connect();
  const store = createRedisResumableStreamStore(client);
  const context = createResumableStreamContext({ store });
  let live = 0;
  await Promise.all(
    Array.from({ length: task.count }, async (_, index) => {
      const body = await context.requireResume(`${task.prefix}${index % task.streams}`, { control: true });
      const reader = body.getReader();
      const first = await reader.read();
      if (!first.done) live += 1;
      void (async () => {
        while (!(await reader.read()).done);
      })();
    }),
  );
  process.send?.({ live });
  process.once("message", () => {
    void context.close().then(async () => {
      await store.close();
      client.destroy();
      process.disconnect();
    });
  });
}
