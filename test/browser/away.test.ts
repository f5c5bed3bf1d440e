/** Pages that are left or hidden, and come back, in Chromium as people have it. */
import type { Page } from "playwright";
import { describe, expect } from "vitest";
import { MIDDLE, OPENING, REST, SHOWN } from "./support/answer-text.ts";
import { it } from "./support/browser-test.ts";
import { openChat, PATIENCE_MS, uninterruptedText } from "./support/chat-page.ts";
import { serveDemo } from "./support/demo-app.ts";
import { entriesOf, seqOf } from "./support/entries.ts";
import { startHarmfulProxy } from "./support/harmful-proxy.ts";
import { recordedResponses } from "./support/recorded-wire.ts";

/** In a hidden tab timers come late. */
const PATIENTLY = { timeout: PATIENCE_MS };

describe("back and forward", () => {
  it("bring the page back as it was left, without a connection meanwhile, and the answer goes on from there", async ({
    model,
    person,
    server,
    onTestFinished,
  }) => {
    const proxy = await startHarmfulProxy(server.url);
    onTestFinished(() => proxy.close());
    const chat = await openChat(person, proxy.url);
    await chat.ask("There and back?");
    const run = await model.run("There and back?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const { page } = chat;

    await noteReturn(page);
    await page.goto(`${proxy.url}/c/somewhere-else`);
    await proxy.follows[0]?.closed;
    run.write(MIDDLE);
    await page.goBack({ waitUntil: "commit" });
    expect(await wasKept(page)).toBe("true");
    await chat.shows(SHOWN.middle);

    await noteReturn(page);
    await page.goForward({ waitUntil: "commit" });
    await proxy.follows[1]?.closed;
    run.write(REST);
    run.finish();
    await run.closed;
    await page.goBack({ waitUntil: "commit" });
    expect(await wasKept(page)).toBe("true");
    await chat.reaches("done");

    const responses = await recordedResponses(page);
    expect(responses.map(({ method }) => method)).toEqual(["POST", "GET", "GET"]);
    expect(proxy.follows).toHaveLength(3);
    const read = responses.flatMap(({ body }) => entriesOf(body)).map(({ id }) => seqOf(id));
    expect(read).toEqual(Array.from(read, (_, index) => index + 1));
    expect(await chat.text()).toBe(await uninterruptedText(person, chat));
    expect(model.runsOf("There and back?")).toBe(1);
  });
});

describe("a tab behind another", () => {
  it("goes on reading the answer, and has it when it is looked at again", async ({
    model,
    person,
    server,
  }) => {
    const chat = await openChat(person, server.url);
    await chat.ask("Still listening?");
    const run = await model.run("Still listening?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);

    await hide(chat.page);
    run.write(MIDDLE);
    await expect.poll(() => chat.text(), PATIENTLY).toContain(SHOWN.middle);
    await chat.page.bringToFront();
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    expect((await recordedResponses(chat.page)).map(({ method }) => method)).toEqual(["POST"]);
    expect(await chat.text()).toBe(await uninterruptedText(person, chat));
  });

  it("only listens while the model is silent", async ({ model, person, onTestFinished }) => {
    const server = await serveDemo(model, 1_000);
    onTestFinished(() => server.close());
    const chat = await openChat(person, server.url);
    await chat.ask("Quiet?");
    const run = await model.run("Quiet?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);

    await hide(chat.page);
    await countWork(chat.page);
    const before = await heartbeats(chat.page);
    await expect.poll(() => heartbeats(chat.page), PATIENTLY).toBeGreaterThanOrEqual(before + 6);
    // The watch for a stall looks at the clock once in three intervals. Chromium holds the timers of a hidden tab back to
    // one a second, so that even a loop of them has no more than six.
    expect(await workDone(chat.page)).toBeLessThan(5);

    await chat.page.bringToFront();
    run.write(MIDDLE + REST);
    run.finish();
    await chat.reaches("done");
    expect((await recordedResponses(chat.page)).map(({ method }) => method)).toEqual(["POST"]);
    expect(await chat.text()).toBe(await uninterruptedText(person, chat));
  });

  it("that was frozen and cut off has everything, by one request, when it is looked at again", async ({
    model,
    person,
    server,
    onTestFinished,
  }) => {
    const proxy = await startHarmfulProxy(server.url);
    onTestFinished(() => proxy.close());
    const chat = await openChat(person, proxy.url);
    await chat.ask("Asleep?");
    const run = await model.run("Asleep?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);

    await hide(chat.page);
    const tab = await person.newCDPSession(chat.page);
    await tab.send("Page.setWebLifecycleState", { state: "frozen" });
    proxy.cut();
    run.write(MIDDLE + REST);
    run.finish();
    await run.closed;
    expect(proxy.follows).toHaveLength(1);
    await chat.page.bringToFront();
    await chat.reaches("done");
    expect((await recordedResponses(chat.page)).map(({ method }) => method)).toEqual(["POST", "GET"]);
    expect(proxy.follows).toHaveLength(2);
    expect(await chat.text()).toBe(await uninterruptedText(person, chat));
  });
});

/** Has the page note whether it comes back from the back-forward cache. */
function noteReturn(page: Page): Promise<void> {
  return page.evaluate(() => {
    const { dataset } = document.documentElement;
    delete dataset["persisted"];
    const note = ({ persisted }: PageTransitionEvent): void =>
      void (dataset["persisted"] = String(persisted));
    addEventListener("pageshow", note, { once: true });
  });
}

/** `event.persisted` of the page's return; `null` for a page that was loaded anew. */
function wasKept(page: Page): Promise<string | null> {
  return page.locator("html").getAttribute("data-persisted");
}

/** Puts another tab before it. */
async function hide(page: Page): Promise<void> {
  const other = await page.context().newPage();
  await other.bringToFront();
  await expect.poll(() => page.evaluate(() => document.visibilityState), PATIENTLY).toBe("hidden");
}

/** Counts the timers, frames and requests that the page asks for from now on. */
function countWork(page: Page): Promise<void> {
  return page.evaluate(() => {
    const { dataset } = document.documentElement;
    dataset["work"] = "0";
    const count = (): void => void (dataset["work"] = String(Number(dataset["work"]) + 1));
    const { setTimeout: timeout, requestAnimationFrame: frame, fetch: request } = window;
    window.setTimeout = Object.assign(
      (...args: Parameters<typeof timeout>) => (count(), timeout(...args)),
      timeout,
    );
    window.requestAnimationFrame = (callback) => (count(), frame(callback));
    window.fetch = (...args) => (count(), request(...args));
  });
}

async function workDone(page: Page): Promise<number> {
  return Number(await page.locator("html").getAttribute("data-work"));
}

/** How many signs of life the page has got. */
async function heartbeats(page: Page): Promise<number> {
  const responses = await recordedResponses(page);
  return responses.map(({ body }) => body.split("\n:").length - 1).reduce((sum, count) => sum + count, 0);
}
