/** The page as a visitor has it, on a phone too. */
import { chromium, devices, type Browser, type BrowserContext } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumArgs, chromiumPath } from "../support/chromium.ts";
import { newVisitor, openChat } from "./support/chat-page.ts";
import { startDemo, type DemoServer } from "./support/demo-server.ts";

let server: DemoServer;
let browser: Browser;
let visitor: BrowserContext;

beforeAll(async () => {
  server = await startDemo({ DEMO_TOKENS_PER_SECOND: "150" });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs] });
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

afterEach(() => visitor.close());

describe("the page", () => {
  beforeEach(async () => {
    visitor = await newVisitor(browser, server.url);
  });

  it("has one conversation an address, and a reload keeps it", async () => {
    const chat = await openChat(visitor);
    const address = chat.page.url();
    expect(new URL(address).pathname).toMatch(/^\/c\/[\w-]{8,64}$/);
    await chat.page.reload();
    expect(chat.page.url()).toBe(address);
    await chat.page.getByRole("link", { name: "New chat" }).click();
    expect(chat.page.url()).not.toBe(address);
    await chat.page.goBack();
    expect(chat.page.url()).toBe(address);
  });

  it("asks a suggested question", async () => {
    const chat = await openChat(visitor);
    await chat.press("What is 19% of 84.50, plus 12?");
    await chat.reaches("done");
    expect(await chat.text()).toContain("28.055");
  });

  it("sends with Enter, and breaks the line with Shift and Enter", async () => {
    const chat = await openChat(visitor);
    const box = chat.page.getByRole("textbox", { name: "Message" });
    await box.fill("17 *");
    await box.press("Shift+Enter");
    await box.pressSequentially("3");
    await box.press("Enter");
    expect(await chat.page.locator("[data-role=user]").textContent()).toBe("17 *\n3");
    expect(await box.inputValue()).toBe("");
  });

  it("keeps an unsent text over a reload", async () => {
    const chat = await openChat(visitor);
    await chat.page.getByRole("textbox", { name: "Message" }).fill("half a thought");
    await chat.page.reload();
    expect(await chat.page.getByRole("textbox", { name: "Message" }).inputValue()).toBe("half a thought");
  });

  it("shows reasoning, a tool call with its arguments and result, and rendered Markdown", async () => {
    const chat = await openChat(visitor);
    await chat.ask("Tell me a story about a lighthouse");
    await chat.reaches("done");
    expect(await chat.answer.getByRole("button", { name: "Thought" }).isVisible()).toBe(true);
    expect(await chat.answer.getByLabel("Arguments").textContent()).toBe('{"count":3,"sides":6}');
    expect(await chat.answer.getByLabel("Result").textContent()).toContain('"rolls"');
    expect(await chat.answer.getByRole("heading").first().textContent()).toContain("lighthouse");
    expect(await chat.answer.getByRole("table").count()).toBe(1);
  });

  it("follows the newest words, but not for a reader who went up", async () => {
    const chat = await openChat(visitor);
    await chat.ask("Tell me a story about a lighthouse");
    await chat.readUpTo(900);
    expect(await distanceFromBottom()).toBeLessThan(80);
    await chat.page.mouse.move(600, 300);
    await chat.page.mouse.wheel(0, -300);
    const newest = chat.page.getByRole("button", { name: "To the newest words" });
    await newest.waitFor();
    const top = await chat.page.evaluate(() => window.scrollY);
    await chat.readUpTo(1200);
    expect(await chat.page.evaluate(() => window.scrollY)).toBe(top);
    await newest.click();
    await expect.poll(distanceFromBottom).toBeLessThan(80);

    function distanceFromBottom(): Promise<number> {
      return chat.page.evaluate(
        () => document.documentElement.scrollHeight - window.scrollY - window.innerHeight,
      );
    }
  });

  it("says that a conversation of another visitor is not here", async () => {
    const chat = await openChat(visitor);
    await chat.ask("17 * 3");
    await chat.reaches("done");
    const stranger = await newVisitor(browser, server.url);
    const other = await openChat(stranger, chat.page.url());
    await other.page.getByRole("alert").waitFor();
    expect(await other.page.locator("[data-role]").count()).toBe(0);
    await stranger.close();
  });
});

describe("on a phone", () => {
  beforeEach(async () => {
    visitor = await newVisitor(browser, server.url, { ...devices["Pixel 7"] });
  });

  it("fits its screen at every moment, and everything can be tapped", async () => {
    const chat = await openChat(visitor);
    expect(await overflow()).toBe(0);
    await chat.page.getByRole("button", { name: "Tell me a story about a lighthouse" }).tap();
    await chat.readUpTo(200);
    expect(await overflow()).toBe(0);
    await chat.page.getByRole("button", { name: "Cut the connection" }).tap();
    await chat.reaches("reconnecting");
    expect(await overflow()).toBe(0);
    await chat.page.getByRole("button", { name: "Restore the connection" }).tap();
    await chat.page.getByRole("button", { name: "Reload" }).tap();
    await chat.reaches("done");
    expect(await overflow()).toBe(0);
    expect(await chat.text()).toContain("I would have been asked for the rest");

    /** Pixels by which the page is wider than the screen. */
    function overflow(): Promise<number> {
      return chat.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    }
  });
});
