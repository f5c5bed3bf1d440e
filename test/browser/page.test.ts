/** The page as a visitor has it, on a phone too. */
import { devices } from "playwright";
import { describe, expect } from "vitest";
import { MIDDLE, OPENING, REST, SHOWN } from "./support/answer-text.ts";
import { it } from "./support/browser-test.ts";
import { newVisitor, openChat } from "./support/chat-page.ts";

describe("the page", () => {
  it("has one conversation an address, and a reload keeps it", async ({ visitor }) => {
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

  it("sends with Enter, and breaks the line with Shift and Enter", async ({ visitor }) => {
    const chat = await openChat(visitor);
    const box = chat.page.getByRole("textbox", { name: "Message" });
    await box.fill("one");
    await box.press("Shift+Enter");
    await box.pressSequentially("two");
    await box.press("Enter");
    expect(await chat.page.locator("[data-role=user]").textContent()).toBe("one\ntwo");
    expect(await box.inputValue()).toBe("");
  });

  it("keeps an unsent text over a reload", async ({ visitor }) => {
    const chat = await openChat(visitor);
    await chat.page.getByRole("textbox", { name: "Message" }).fill("half a thought");
    await chat.page.reload();
    expect(await chat.page.getByRole("textbox", { name: "Message" }).inputValue()).toBe("half a thought");
  });

  it("follows the newest words, but not for a reader who went up", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("Scroll?");
    const run = await model.run("Scroll?");
    run.write("A paragraph.\n\n".repeat(40));
    run.write("Here it stops.");
    await chat.shows("Here it stops.");
    await expect.poll(distanceFromBottom).toBeLessThan(2);

    await chat.page.mouse.move(600, 300);
    await chat.page.mouse.wheel(0, -400);
    const newest = chat.page.getByRole("button", { name: "To the newest words" });
    await newest.waitFor();
    const top = await scrollTop();
    run.write("\n\nMore.\n\nAnd more.");
    await chat.shows("And more.");
    expect(await scrollTop()).toBe(top);

    await newest.click();
    await expect.poll(distanceFromBottom).toBeLessThan(2);
    run.write("\n\nThe end.");
    await chat.shows("The end.");
    await expect.poll(distanceFromBottom).toBeLessThan(2);
    run.finish();

    function scrollTop(): Promise<number> {
      return chat.page.evaluate(() => window.scrollY);
    }
    function distanceFromBottom(): Promise<number> {
      return chat.page.evaluate(
        () => document.documentElement.scrollHeight - window.scrollY - window.innerHeight,
      );
    }
  });

  it("says that a conversation of another visitor is not here", async ({
    browser,
    model,
    server,
    visitor,
    onTestFinished,
  }) => {
    const chat = await openChat(visitor);
    await chat.ask("Mine?");
    const run = await model.run("Mine?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const stranger = await newVisitor(browser, server.url);
    onTestFinished(() => stranger.close());
    const other = await openChat(stranger, chat.page.url());
    await other.page.getByRole("alert").waitFor();
    expect(await other.page.locator("[data-role]").count()).toBe(0);
    run.finish();
  });
});

describe("the built-in model", () => {
  it("streams reasoning, a tool call with its arguments and result, and an answer in Markdown", async ({
    browser,
    builtIn,
    onTestFinished,
  }) => {
    const visitor = await newVisitor(browser, builtIn.url);
    onTestFinished(() => visitor.close());
    const chat = await openChat(visitor);
    await chat.press("Tell me a story about a lighthouse");
    await chat.reaches("done");
    expect(await chat.answer.getByRole("button", { name: "Thought" }).isVisible()).toBe(true);
    expect(await chat.answer.getByLabel("Arguments").textContent()).toBe('{"count":3,"sides":6}');
    expect(await chat.answer.getByLabel("Result").textContent()).toContain('"rolls"');
    expect(await chat.answer.getByRole("heading").first().textContent()).toContain("lighthouse");
    expect(await chat.answer.getByRole("table").count()).toBe(1);
  });
});

describe("on a phone", () => {
  it("fits its screen at every moment, and everything can be tapped", async ({
    browser,
    model,
    server,
    onTestFinished,
  }) => {
    const phone = await newVisitor(browser, server.url, { ...devices["Pixel 7"] });
    onTestFinished(() => phone.close());
    const chat = await openChat(phone);
    expect(await overflow()).toBe(0);
    await chat.page.getByRole("button", { name: "Tell me a story about a lighthouse" }).tap();
    const run = await model.run("Tell me a story about a lighthouse");
    run.write(
      `\`${"one-very-long-word-".repeat(20)}\`\n\n\`\`\`\n${"a long line of code ".repeat(20)}\n\`\`\`\n\n`,
    );
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    expect(await overflow()).toBe(0);
    await chat.page.getByRole("button", { name: "Cut the connection" }).tap();
    await chat.reaches("reconnecting");
    expect(await overflow()).toBe(0);
    await chat.page.getByRole("button", { name: "Restore the connection" }).tap();
    await chat.reaches("streaming");
    run.write(MIDDLE);
    await chat.shows(SHOWN.middle);
    await chat.page.getByRole("button", { name: "Reload" }).tap();
    await chat.reaches("streaming");
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    await chat.shows(SHOWN.rest);
    expect(await overflow()).toBe(0);

    /** Pixels by which the page is wider than the screen. */
    function overflow(): Promise<number> {
      return chat.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    }
  });
});
