/** Conversations, in memory and in a real Redis. */
import { createClient, type RedisClientType } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  MAX_QUESTIONS,
  newAnswer,
  turnsFor,
  type Answer,
  type Conversations,
} from "../../demo/server/storage/conversations.ts";
import { createMemoryConversations } from "../../demo/server/storage/memory-conversations.ts";
import { createRedisConversations } from "../../demo/server/storage/redis-conversations.ts";
import { everyPartPayloads } from "../support/every-part-answer.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";

let redis: RedisServer;
let client: RedisClientType;

beforeAll(async () => {
  redis = await startRedis();
  client = createClient({ url: redis.url });
  await client.connect();
});

afterAll(async () => {
  client.destroy();
  await redis.stop();
});

let prefixes = 0;

describe.each<[string, () => Conversations]>([
  ["memory", () => createMemoryConversations()],
  ["Redis", () => createRedisConversations(client, `test-${prefixes++}`)],
])("conversations in %s", (_, create) => {
  it("have nothing in one that nobody began, and looking does not begin it", async () => {
    const conversations = create();
    expect(await conversations.read("c1", "ann")).toEqual([]);
    expect(await conversations.read("c1", "bob")).toEqual([]);
  });

  it("belong to whoever asked first", async () => {
    const conversations = create();
    expect(await conversations.ask("c1", "ann", "s1", "One?")).toBe("added");
    expect(await conversations.ask("c1", "bob", "s2", "Two?")).toBe("foreign");
    expect(await conversations.read("c1", "bob")).toBeNull();
    expect(await conversations.read("c1", "ann")).toEqual([{ question: "One?", answer: newAnswer("s1") }]);
  });

  it("keep questions in their order, and one that is sent again once", async () => {
    const conversations = create();
    for (const name of ["s1", "s2", "s3"]) await conversations.ask("c1", "ann", name, `${name}?`);
    expect(await conversations.ask("c1", "ann", "s2", "s2?")).toBe("known");
    const exchanges = await conversations.read("c1", "ann");
    expect(exchanges?.map(({ question }) => question)).toEqual(["s1?", "s2?", "s3?"]);
  });

  it("give back a saved answer as it was", async () => {
    const conversations = create();
    await conversations.ask("c1", "ann", "s1", "One?");
    const answer = answerOf("s1");
    await conversations.save("c1", answer);
    const [exchange] = (await conversations.read("c1", "ann")) ?? [];
    expect(JSON.stringify(exchange?.answer)).toBe(JSON.stringify(answer));
  });

  it("have a bound", async () => {
    const conversations = create();
    for (let index = 0; index < MAX_QUESTIONS; index++) {
      await conversations.ask("c1", "ann", `s${index}`, "Again?");
    }
    expect(await conversations.ask("c1", "ann", "more", "More?")).toBe("full");
    expect(await conversations.ask("c1", "ann", "s0", "Again?")).toBe("known");
  });

  it("do not bring back one that is gone", async () => {
    const conversations = create();
    await conversations.save("gone", answerOf("s1"));
    expect(await conversations.read("gone", "ann")).toEqual([]);
  });
});

it("in memory the one that was used least recently goes first", async () => {
  const conversations = createMemoryConversations(2);
  for (const id of ["c1", "c2", "c1", "c3"])
    await conversations.ask(id, "ann", `${id}-${Math.random()}`, "?");
  expect(await conversations.read("c2", "ann")).toEqual([]);
  expect(await conversations.read("c1", "ann")).toHaveLength(2);
});

it("tells a model what was said before, as far as it was answered", () => {
  const exchanges = [
    { question: "One?", answer: answerOf("s1") },
    { question: "Two?", answer: newAnswer("s2") },
    { question: "Three?", answer: newAnswer("s3") },
  ];
  expect(turnsFor(exchanges, "s3")).toEqual([
    { role: "user", text: "One?" },
    { role: "assistant", text: expect.stringContaining("Héllo") },
    { role: "user", text: "Three?" },
  ]);
});

function answerOf(streamId: string): Answer {
  const fold = assistantStream.fold();
  for (const payload of everyPartPayloads) fold.apply(payload);
  fold.end({ status: "done" });
  return { role: "assistant", streamId, status: "done", message: fold.view() };
}
