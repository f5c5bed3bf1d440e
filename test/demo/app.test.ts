/** The demo's routes over real HTTP: bad input, and what another visitor gets. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInMemoryResumableStreamStore, createResumableStreamContext } from "rejoin/server";
import { createDemoApp } from "../../demo/server/app.ts";
import { createBuiltInModel } from "../../demo/server/models/built-in/built-in-model.ts";
import { createMemoryConversations } from "../../demo/server/storage/memory-conversations.ts";
import { serveFetch, type TestServer } from "../support/http-server.ts";

const CONVERSATION = "conversation-1";
const context = createResumableStreamContext({ store: createInMemoryResumableStreamStore() });
let server: TestServer;

beforeAll(async () => {
  const app = createDemoApp({
    context,
    conversations: createMemoryConversations(),
    model: createBuiltInModel({ tokensPerSecond: 100_000 }),
    pageRoot: "demo/dist",
  });
  server = await serveFetch((request) => app.fetch(request));
});

afterAll(async () => {
  await server.close();
  await context.close();
});

describe("a visitor", () => {
  it("is sent from / to a conversation of their own, with a cookie that scripts cannot read", async () => {
    const response = await fetch(`${server.url}/`, { redirect: "manual" });
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toMatch(/^\/c\/[0-9a-f-]{36}$/);
    expect(response.headers.get("set-cookie")).toMatch(
      /^rejoin_demo_visitor=[\w-]{22};.*HttpOnly; SameSite=Lax$/,
    );
  });

  it("gets an answer, and finds it saved", async () => {
    const visitor = await newVisitor();
    const response = await visitor.ask("saved-1", "17 * 3");
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('"type":"message-finish"');
    await expect
      .poll(() => visitor.conversation())
      .toMatchObject({
        messages: [
          { role: "user", text: "17 * 3" },
          { role: "assistant", streamId: "saved-1", status: "done" },
        ],
      });
  });
});

describe("another visitor", () => {
  it("gets nothing on any route", async () => {
    const owner = await newVisitor("conversation-2");
    await (await owner.ask("owned-1", "17 * 3")).text();
    const stranger = await newVisitor("conversation-2");
    const answers = await Promise.all([
      stranger.get("/api/conversations/conversation-2"),
      stranger.ask("owned-1", "17 * 3"),
      stranger.ask("owned-2", "17 * 3"),
      stranger.get("/api/streams/owned-1"),
      stranger.get("/api/streams/owned-1?control=1"),
      stranger.get("/api/streams/owned-1/status"),
      stranger.get("/api/streams?thread=conversation-2"),
      stranger.send("POST", "/api/streams/owned-1/stop"),
      stranger.send("DELETE", "/api/streams/owned-1"),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(404);
      expect(await answer.text()).not.toContain("17");
    }
    expect((await owner.get("/api/streams/owned-1/status")).status).toBe(200);
  });

  it("gets nothing with the same id in a conversation of their own", async () => {
    const owner = await newVisitor("conversation-3");
    await (await owner.ask("owned-3", "17 * 3")).text();
    const stranger = await newVisitor("conversation-4");
    expect((await stranger.ask("owned-3", "17 * 3")).status).toBe(404);
    expect(await stranger.conversation()).toMatchObject({ messages: [] });
  });

  it("who never was here gets nothing either", async () => {
    const owner = await newVisitor("conversation-5");
    await (await owner.ask("owned-5", "17 * 3")).text();
    const response = await fetch(`${server.url}/api/streams/owned-5`);
    expect(response.status).toBe(404);
  });
});

describe("a question", () => {
  it.each([
    ["no JSON", "{"],
    ["no object", '"text"'],
    ["no text", JSON.stringify({ conversationId: CONVERSATION })],
    ["an empty text", JSON.stringify({ conversationId: CONVERSATION, text: "  " })],
    ["a text that is too long", JSON.stringify({ conversationId: CONVERSATION, text: "x".repeat(8_001) })],
    ["a conversation that is none", JSON.stringify({ conversationId: "../x", text: "Hello" })],
  ])("that is %s is answered with 400", async (_, body) => {
    const visitor = await newVisitor();
    const response = await visitor.send("POST", "/api/chat", { "x-resumable-stream-id": "bad-1" }, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid-request" } });
  });

  it("without an id, or with a bad one, is answered with 400", async () => {
    const visitor = await newVisitor(CONVERSATION);
    const body = JSON.stringify({ conversationId: CONVERSATION, text: "Hello" });
    for (const headers of [{}, { "x-resumable-stream-id": ".." }, { "x-resumable-stream-id": "a b" }]) {
      const response = await visitor.send("POST", "/api/chat", headers, body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code: "invalid-id" } });
    }
  });

  it("that is larger than any question is answered with 413", async () => {
    const visitor = await newVisitor();
    const response = await visitor.send("POST", "/api/chat", {}, "x".repeat(70_000));
    expect(response.status).toBe(413);
  });
});

describe("the page", () => {
  it("comes with headers that let in nothing from elsewhere", async () => {
    const { headers } = await fetch(`${server.url}/c/${CONVERSATION}`);
    expect(headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
  });

  it("has no other files", async () => {
    for (const path of ["/api/nothing", "/../package.json", "/%2e%2e/package.json", "/server/main.ts"]) {
      expect((await fetch(`${server.url}${path}`)).status).toBe(404);
    }
  });
});

interface Visitor {
  get(path: string): Promise<Response>;
  send(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Response>;
  ask(streamId: string, text: string): Promise<Response>;
  conversation(): Promise<unknown>;
}

let visitors = 0;

/** Somebody with a cookie, in a conversation. */
async function newVisitor(conversationId = `their-own-${visitors++}`): Promise<Visitor> {
  const first = await fetch(`${server.url}/`, { redirect: "manual" });
  const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
  const send: Visitor["send"] = (method, path, headers = {}, body) =>
    fetch(`${server.url}${path}`, {
      method,
      headers: { cookie, ...headers },
      ...(body !== undefined && { body }),
    });
  const get = (path: string): Promise<Response> => send("GET", path);
  return {
    get,
    send,
    ask: (streamId, text) =>
      send(
        "POST",
        "/api/chat",
        { "x-resumable-stream-id": streamId },
        JSON.stringify({ conversationId, text }),
      ),
    conversation: async () => (await get(`/api/conversations/${conversationId}`)).json(),
  };
}
