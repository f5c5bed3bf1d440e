/** Two instances of the demo on one Redis: what one writes the other has. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startDemo, type DemoServer } from "../browser/support/demo-server.ts";
import { entriesOf } from "../browser/support/entries.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { startScriptedModel, type ScriptedModel } from "../support/scripted-model.ts";

let redis: RedisServer;
let model: ScriptedModel;
let one: DemoServer;
let other: DemoServer;

beforeAll(async () => {
  [redis, model] = await Promise.all([startRedis(), startScriptedModel()]);
  const env = { REDIS_URL: redis.url, OPENAI_BASE_URL: model.url, MODEL: "scripted-1" };
  [one, other] = await Promise.all([startDemo(env), startDemo(env)]);
}, 60_000);

afterAll(async () => {
  await Promise.all([one?.close(), other?.close()]);
  await Promise.all([redis?.stop(), model?.close()]);
}, 60_000);

it("says at start that it is on Redis", () => {
  expect(one.output).toContain(`store: Redis at ${new URL(redis.url).host}`);
});

it("follows, stops and finds on one instance what was asked on another", async () => {
  const cookie = await newCookie();
  const conversationId = "on-two-instances";
  const asked = await fetch(`${one.url}/api/chat`, {
    method: "POST",
    headers: { cookie, "x-resumable-stream-id": "two-1" },
    body: JSON.stringify({ conversationId, text: "Where?" }),
  });
  const run = await model.run("Where?");
  run.write("Here and there.");

  const followed = await fetch(`${other.url}/api/streams/two-1?control=1`, { headers: { cookie } });
  const stopped = await fetch(`${other.url}/api/streams/two-1/stop`, { method: "POST", headers: { cookie } });
  expect(await stopped.json()).toMatchObject({ status: "stopped" });
  await run.closed;
  const [there, here] = await Promise.all([followed.text(), asked.text()]);
  expect(there).toContain('event: rejoin.end\ndata: {"status":"stopped"}');
  expect(entriesOf(there)).toEqual(entriesOf(here));
  await expect
    .poll(async () =>
      (await fetch(`${other.url}/api/conversations/${conversationId}`, { headers: { cookie } })).json(),
    )
    .toMatchObject({
      messages: [
        { role: "user", text: "Where?" },
        { role: "assistant", streamId: "two-1", status: "stopped" },
      ],
    });
});

it("does not start where no Redis answers, and says so", async () => {
  await expect(startDemo({ REDIS_URL: "redis://127.0.0.1:1" })).rejects.toThrow(
    "No Redis answers at 127.0.0.1:1",
  );
});

async function newCookie(): Promise<string> {
  const response = await fetch(`${one.url}/`, { redirect: "manual" });
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}
