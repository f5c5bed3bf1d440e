/** What Redis, or the way to it, may answer instead: all of it is an outage, which producers sit out. */
import { describe, expect, it } from "vitest";
import { createIoredisResumableStreamStore } from "../../../../src/server/ioredis.ts";
import { createRedisResumableStreamStore } from "../../../../src/server/redis.ts";

const answers = [
  "CLUSTERDOWN The cluster is down",
  "LOADING Redis is loading the dataset in memory",
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  "READONLY You can't write against a read only replica.",
  "OOM command not allowed when used memory > 'maxmemory'.",
  "TRYAGAIN Multiple keys request during rehashing of slot",
  "Too many Cluster redirections. Last error: Error: MOVED 1 127.0.0.1:1",
  "connect ECONNREFUSED 127.0.0.1:1",
  "Socket closed unexpectedly",
];

const nothing = (): never => {
  throw new Error("Nobody asks for this here.");
};

describe.each([
  [
    "node-redis",
    (answer: () => Promise<never>) =>
      createRedisResumableStreamStore({
        evalSha: answer,
        eval: answer,
        masters: [],
        nodeClient: nothing,
        withCommandOptions: () => ({ evalSha: answer, eval: answer }),
      }),
  ],
  [
    "ioredis",
    (answer: () => Promise<never>) =>
      createIoredisResumableStreamStore({
        evalsha: answer,
        eval: answer,
        callBuffer: answer,
        nodes: () => [],
      }),
  ],
])("on %s", (_name, makeStore) => {
  it.each(answers)("%s: the store is unavailable", async (text) => {
    const cause = new Error(text);
    const store = makeStore(() => Promise.reject(cause));
    const opening = store.open("s", { owner: null, protocol: "test", leaseMs: 1_000 });
    await expect(opening).rejects.toMatchObject({ code: "store-unavailable", cause });
    const append = store.appendBatch("s", { token: "g" }, 1, ["{}"]);
    await expect(append).rejects.toMatchObject({ code: "store-unavailable", cause });
    await expect(store.find("a thread")).rejects.toMatchObject({ code: "store-unavailable", cause });
  });
});
