/** Reloads in real Chromium, against the page that `npm start` serves. */
import { chromium, type Browser, type BrowserContext, type Request } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";
import { chromiumArgs, chromiumPath } from "../support/chromium.ts";
import { openChat, newVisitor, savedAnswers } from "./support/chat-page.ts";
import { startDemo, type DemoServer } from "./support/demo-server.ts";
import { entriesOf, seqOf } from "./support/entries.ts";
import { holdNetwork } from "./support/held-network.ts";
import { recordedResponses, recordWire } from "./support/recorded-wire.ts";

const STORY = "Tell me a story about a lighthouse";

let server: DemoServer;
let browser: Browser;
let visitor: BrowserContext;

beforeAll(async () => {
  server = await startDemo({ DEMO_TOKENS_PER_SECOND: "120" });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs] });
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

beforeEach(async () => {
  visitor = await newVisitor(browser, server.url);
});

afterEach(() => visitor.close());

describe("a reload in the middle of an answer", () => {
  it("shows the text read so far while every answer of the network is held back, then gets only what was missing", async () => {
    await recordWire(visitor);
    const chat = await openChat(visitor);
    await chat.ask(STORY);
    await chat.readUpTo(200);
    const before = await chat.text();
    const network = await holdNetwork(chat.page);
    await chat.page.reload();

    await chat.answer.waitFor();
    const painted = await chat.text();
    // The last word may have been in the middle of its Markdown.
    expect(painted.slice(0, before.length - 20)).toBe(before.slice(0, -20));
    expect(await chat.answer.getAttribute("data-status")).toBe("connecting");
    expect(await chat.page.locator("[data-role=user]").textContent()).toBe(STORY);

    await network.release();
    await chat.reaches("done");

    const [response, ...others] = await recordedResponses(chat.page);
    expect(others).toEqual([]);
    const cursor = new URL(response?.url ?? "").searchParams.get("cursor") ?? "";
    const sent = entriesOf(response?.body ?? "");
    expect(seqOf(cursor)).toBeGreaterThan(0);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.map(({ id }) => seqOf(id))).toEqual(
      Array.from(sent, (_, index) => seqOf(cursor) + 1 + index),
    );
    expect(await chat.text()).toBe(await uninterrupted(chat.page.url()));
  });

  it("ends with the message of an uninterrupted reader after many reloads", async () => {
    const chat = await openChat(visitor);
    await chat.ask(STORY);
    for (const characters of [50, 400, 800]) {
      await chat.readUpTo(characters);
      await chat.page.reload();
    }
    await chat.reaches("done");
    expect(await chat.text()).toBe(await uninterrupted(chat.page.url()));
    expect(await savedAnswers(chat)).toHaveLength(1);
  });

  it("goes on live where the answer is still being written", async () => {
    const chat = await openChat(visitor);
    await chat.ask(STORY);
    await chat.readUpTo(100);
    await chat.page.reload();
    await chat.reaches("streaming");
    expect(await chat.badge.textContent()).toBe("Live");
    await chat.reaches("done");
    expect(await chat.answer.textContent()).toContain("Rejoined after a reload");
  });

  it("paints a finished answer from the tab while the network is held back", async () => {
    const chat = await openChat(visitor);
    await chat.ask("17 * 3");
    await chat.reaches("done");
    const text = await chat.text();
    // The server saves the answer after its end; the page asks for it then.
    await expect.poll(() => savedAnswers(chat)).toMatchObject([{ status: "done" }]);
    await holdNetwork(chat.page);
    await chat.page.reload();
    await chat.reaches("done");
    expect(await chat.text()).toBe(text);
  });
});

describe("a reload before the first byte", () => {
  it("follows the answer of a question that the server got, and never sends it again", async () => {
    const chat = await openChat(visitor);
    const posts: Request[] = [];
    chat.page.on("request", (request) => {
      if (request.method() === "POST") posts.push(request);
    });
    const arrived = Promise.withResolvers<void>();
    await chat.page.route("**/api/chat", async (route) => {
      // The server gets it; its answer never reaches the page.
      const { headers, body } = {
        headers: await route.request().allHeaders(),
        body: route.request().postData(),
      };
      await fetch(route.request().url(), { method: "POST", headers: fetchable(headers), body });
      arrived.resolve();
    });
    await chat.ask(STORY);
    await arrived.promise;
    await chat.page.reload();

    await chat.reaches("done");
    expect(posts).toHaveLength(1);
    expect(await savedAnswers(chat)).toHaveLength(1);
    expect(await chat.text()).toBe(await uninterrupted(chat.page.url()));
  });

  it("shows the question again while nothing is known of its answer", async () => {
    const chat = await openChat(visitor);
    const network = await holdNetwork(chat.page);
    await chat.ask(STORY);
    await chat.page.reload();
    await chat.answer.waitFor();
    expect(await chat.page.locator("[data-role=user]").textContent()).toBe(STORY);
    expect(await chat.answer.getAttribute("data-status")).toBe("connecting");
    await network.release();
  });
});

describe("the saved answer", () => {
  it("is the fold of the stream, byte for byte", async () => {
    const chat = await openChat(visitor);
    await chat.ask("Which weekday is 29 February 2028?");
    await chat.readUpTo(100);
    await chat.page.reload();
    await chat.reaches("done");
    await expect.poll(() => savedAnswers(chat)).toMatchObject([{ status: "done" }]);
    const [saved] = await savedAnswers(chat);
    const response = await chat.page.request.get(`/api/streams/${saved?.streamId}`);
    const fold = assistantStream.fold();
    for (const { data } of entriesOf(await response.text())) fold.apply(data);
    fold.end({ status: "done" });
    expect(JSON.stringify(saved?.message)).toBe(JSON.stringify(fold.view()));
  });
});

/** The text that a tab shows which was opened after the end. */
async function uninterrupted(url: string): Promise<string> {
  const fresh = await openChat(visitor, url);
  await fresh.reaches("done");
  const text = await fresh.text();
  await fresh.page.close();
  return text;
}

/** Headers that a request may set by itself. */
function fetchable(headers: Readonly<Record<string, string>>): Headers {
  const kept = Object.entries(headers).filter(
    ([name]) => !/^(?::|connection$|content-length$|host$)/.test(name),
  );
  return new Headers(kept);
}
