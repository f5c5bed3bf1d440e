/** Tabs that may not keep anything, or have no room for it. */
import type { BrowserContext } from "playwright";
import { describe, expect } from "vitest";
import { MIDDLE, OPENING, REST, SHOWN } from "./support/answer-text.ts";
import { it } from "./support/browser-test.ts";
import { openChat, uninterruptedText } from "./support/chat-page.ts";
import { entriesOf } from "./support/entries.ts";
import { startOwnChromium } from "./support/own-chromium.ts";
import { recordedResponses, recordWire } from "./support/recorded-wire.ts";

describe("a tab whose sessionStorage throws", () => {
  it("shows the answer, goes on after a cut, and after a reload reads it from the start", async ({
    model,
    visitor,
  }) => {
    const errors = errorsOf(visitor);
    await visitor.addInitScript(() => {
      Object.defineProperty(window, "sessionStorage", {
        get() {
          throw new DOMException("Access is denied for this document.", "SecurityError");
        },
      });
    });
    const chat = await openChat(visitor);
    await chat.ask("Nothing kept?");
    const run = await model.run("Nothing kept?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    await chat.press("Cut the connection");
    run.write(MIDDLE);
    await chat.press("Restore the connection");
    await chat.shows(SHOWN.middle);
    expect((await recordedResponses(chat.page)).map(({ method }) => method)).toEqual(["POST", "GET"]);

    await chat.page.reload();
    await chat.shows(SHOWN.middle);
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    const [response, ...others] = await recordedResponses(chat.page);
    expect(others).toEqual([]);
    expect(new URL(response?.url ?? "").searchParams.has("cursor")).toBe(false);
    expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
    expect(model.runsOf("Nothing kept?")).toBe(1);
    expect(errors).toEqual([]);
  });

  it("by the setting of a browser shows the answer too", async ({ model, server, onTestFinished }) => {
    const chromium = await startOwnChromium({ blocksSiteData: true });
    onTestFinished(() => chromium.close());
    const { visitor } = chromium;
    await recordWire(visitor);
    const errors = errorsOf(visitor);
    const chat = await openChat(visitor, server.url);
    await expect(chat.page.evaluate(() => sessionStorage.length)).rejects.toThrow("SecurityError");
    await chat.ask("Do you mind?");
    const run = await model.run("Do you mind?");
    run.write(OPENING + MIDDLE);
    await chat.shows(SHOWN.middle);
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    await chat.shows(SHOWN.rest);
    expect((await recordedResponses(chat.page)).map(({ method }) => method)).toEqual(["POST"]);
    expect(errors).toEqual([]);
  });
});

describe("a tab whose sessionStorage is full", () => {
  it("shows the answer, goes on after a cut, and after a reload reads it from the start", async ({
    model,
    visitor,
  }) => {
    const errors = errorsOf(visitor);
    await visitor.addInitScript(() => {
      // Whole megabytes first, then what is left, to the last unit.
      for (let length = 2 ** 20; length >= 1; length /= 2) {
        try {
          for (let at = 0; ; at += 1) sessionStorage.setItem(`other:${length}:${at}`, "x".repeat(length));
        } catch {
          // No room for so much.
        }
      }
    });
    const chat = await openChat(visitor);
    await expect(chat.page.evaluate(() => sessionStorage.setItem("one", "more"))).rejects.toThrow("quota");
    await chat.ask("No room?");
    const run = await model.run("No room?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    await chat.press("Cut the connection");
    run.write(MIDDLE);
    await chat.press("Restore the connection");
    await chat.shows(SHOWN.middle);
    const [, again] = await recordedResponses(chat.page);
    expect(new URL(again?.url ?? "").searchParams.has("cursor")).toBe(true);

    await chat.page.reload();
    await chat.shows(SHOWN.middle);
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    const [response, ...others] = await recordedResponses(chat.page);
    expect(others).toEqual([]);
    expect(entriesOf(response?.body ?? "").length).toBeGreaterThan((OPENING + MIDDLE + REST).length / 4);
    expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
    expect(model.runsOf("No room?")).toBe(1);
    expect(errors).toEqual([]);
  });
});

/** What the pages of a visitor throw and nobody catches, from now on. */
function errorsOf(visitor: BrowserContext): readonly Error[] {
  const errors: Error[] = [];
  visitor.on("weberror", (error) => errors.push(error.error()));
  return errors;
}
