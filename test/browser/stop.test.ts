/** Stopping in real Chromium, against the page that `npm start` serves. */
import { chromium, type Browser, type BrowserContext } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumArgs, chromiumPath } from "../support/chromium.ts";
import { newVisitor, openChat, savedAnswers } from "./support/chat-page.ts";
import { startDemo, type DemoServer } from "./support/demo-server.ts";
import { holdNetwork } from "./support/held-network.ts";

const STORY = "Tell me a story about a lighthouse";

let server: DemoServer;
let browser: Browser;
let visitor: BrowserContext;

beforeAll(async () => {
  server = await startDemo({ DEMO_TOKENS_PER_SECOND: "60" });
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

describe("Stop", () => {
  it("ends the answer, keeps what was written, and lets the next question in", async () => {
    const chat = await openChat(visitor);
    await chat.ask(STORY);
    await chat.readUpTo(100);
    const before = await chat.text();
    await chat.press("Stop");
    await chat.reaches("stopped");
    expect((await chat.text()).slice(0, before.length - 20)).toBe(before.slice(0, -20));
    expect(await chat.badge.textContent()).toBe("Stopped");
    await expect.poll(() => savedAnswers(chat)).toMatchObject([{ status: "stopped" }]);
    await chat.ask("17 * 3");
    await chat.page.locator("[data-role=assistant]").nth(1).waitFor();
    await chat.reaches("streaming");
    await chat.press("Stop");
    await chat.reaches("stopped");
  });

  it("is not undone by a reload that follows at once", async () => {
    const chat = await openChat(visitor);
    await chat.ask(STORY);
    await chat.readUpTo(100);
    // Both in one task of the page: the request is not even sent when the page goes.
    await chat.page.evaluate(() => {
      document.querySelector<HTMLButtonElement>("button[aria-label=Stop]")?.click();
      location.reload();
    });
    await chat.page.waitForLoadState();
    await chat.reaches("stopped");
    const text = await chat.text();
    await expect.poll(() => savedAnswers(chat)).toMatchObject([{ status: "stopped" }]);
    await chat.page.reload();
    await chat.reaches("stopped");
    expect(await chat.text()).toBe(text);
  });

  it("holds for a question that it overtook", async () => {
    const chat = await openChat(visitor);
    const questions = await holdNetwork(chat.page, "**/api/chat");
    await chat.ask(STORY);
    await chat.press("Stop");
    await questions.release();
    await chat.reaches("stopped");
    await expect.poll(() => savedAnswers(chat)).toMatchObject([{ status: "stopped" }]);
  });
});
