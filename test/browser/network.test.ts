/** Cuts and other readers in real Chromium, against the page that `npm start` serves. */
import { chromium, type Browser, type BrowserContext } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumArgs, chromiumPath } from "../support/chromium.ts";
import { newVisitor, openChat, savedAnswers } from "./support/chat-page.ts";
import { startDemo, type DemoServer } from "./support/demo-server.ts";
import { entriesOf, seqOf } from "./support/entries.ts";
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
  await recordWire(visitor);
});

afterEach(() => visitor.close());

describe("a network that goes off and on in the middle", () => {
  it("says so, keeps what was read, and goes on without a word lost or twice", async () => {
    const chat = await openChat(visitor);
    await chat.ask(STORY);
    await chat.readUpTo(200);

    await visitor.setOffline(true);
    await chat.reaches("offline");
    expect(await chat.badge.textContent()).toBe("Offline");
    const kept = await chat.text();

    // The model writes on meanwhile: another visitor of the log sees it end.
    await visitor.setOffline(false);
    await chat.reaches("done");
    const text = await chat.text();
    expect(text.slice(0, kept.length - 20)).toBe(kept.slice(0, -20));

    const responses = await recordedResponses(chat.page);
    expect(responses.map(({ method }) => method)).toEqual(["POST", "GET"]);
    const cursor = new URL(responses[1]?.url ?? "").searchParams.get("cursor") ?? "";
    const missing = entriesOf(responses[1]?.body ?? "");
    expect(seqOf(missing[0]?.id)).toBe(seqOf(cursor) + 1);

    const fresh = await openChat(visitor, chat.page.url());
    await fresh.reaches("done");
    expect(text).toBe(await fresh.text());
    expect(await chat.answer.textContent()).toContain("Rejoined after a cut");
  });

  it("catches up at once when the answer ended meanwhile", async () => {
    const chat = await openChat(visitor);
    await chat.ask("17 * 3");
    await chat.readUpTo(40);
    await visitor.setOffline(true);
    await chat.reaches("offline");
    await expect.poll(() => savedAnswers(chat), { timeout: 30_000 }).toMatchObject([{ status: "done" }]);
    expect(await chat.answer.getAttribute("data-status")).toBe("offline");
    await visitor.setOffline(false);
    await chat.reaches("done");
    expect(await chat.text()).toContain("The calculator is real");
  });

  it("takes up a question that was asked offline", async () => {
    const chat = await openChat(visitor);
    await visitor.setOffline(true);
    await chat.ask("17 * 3");
    await expect.poll(() => chat.badge.textContent()).toBe("Offline");
    await visitor.setOffline(false);
    await chat.reaches("done");
    expect(await chat.text()).toContain("The calculator is real");
    expect(await savedAnswers(chat)).toHaveLength(1);
  });
});

describe("the button that cuts the connection", () => {
  it("cuts it for real, and the answer goes on when it is restored", async () => {
    const chat = await openChat(visitor);
    await chat.ask(STORY);
    await chat.readUpTo(200);
    await chat.press("Cut the connection");
    await chat.reaches("reconnecting");
    expect(await chat.badge.textContent()).toBe("Reconnecting");
    await chat.press("Restore the connection");
    await chat.reaches("done");
    const fresh = await openChat(visitor, chat.page.url());
    await fresh.reaches("done");
    expect(await chat.text()).toBe(await fresh.text());
  });
});

describe("a second tab", () => {
  it("sees the running answer live, and ends with the same text", async () => {
    const first = await openChat(visitor);
    await first.ask(STORY);
    await first.readUpTo(100);
    const second = await openChat(visitor, first.page.url());
    await second.reaches("streaming");
    expect(await second.page.locator("[data-role=user]").textContent()).toBe(STORY);
    await Promise.all([first.reaches("done"), second.reaches("done")]);
    expect(await second.text()).toBe(await first.text());
  });

  it("that was open before hears of the question", async () => {
    const first = await openChat(visitor);
    const second = await openChat(visitor, first.page.url());
    await first.ask("17 * 3");
    await second.reaches("done");
    await first.reaches("done");
    expect(await second.text()).toBe(await first.text());
  });

  it("can stop the answer", async () => {
    const first = await openChat(visitor);
    await first.ask(STORY);
    await first.readUpTo(100);
    const second = await openChat(visitor, first.page.url());
    await second.reaches("streaming");
    await second.press("Stop");
    await Promise.all([first.reaches("stopped"), second.reaches("stopped")]);
    expect(await second.text()).toBe(await first.text());
  });
});

describe("a question that is sent twice", () => {
  it("by a double click is asked once", async () => {
    const chat = await openChat(visitor);
    await chat.page.getByRole("textbox", { name: "Message" }).fill("17 * 3");
    await chat.page.getByRole("button", { name: "Send" }).dblclick();
    await chat.reaches("done");
    expect(await chat.page.locator("[data-role=user]").count()).toBe(1);
    expect(await savedAnswers(chat)).toHaveLength(1);
  });

  it("by two requests at once runs the model once, and both read its answer", async () => {
    const chat = await openChat(visitor);
    const ask = async (): Promise<string> => {
      const response = await visitor.request.post("/api/chat", {
        headers: { "x-resumable-stream-id": "asked-by-two" },
        data: { conversationId: chat.conversationId(), text: STORY },
      });
      return response.text();
    };
    const [one, other] = await Promise.all([ask(), ask()]);
    expect(entriesOf(one)).toEqual(entriesOf(other));
    expect(await savedAnswers(chat)).toHaveLength(1);
  });
});
