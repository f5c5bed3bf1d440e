/** Reloads in real Chromium, against the page that `npm start` serves. */
import type { Request } from "playwright";
import { describe, expect } from "vitest";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";
import { MIDDLE, OPENING, REST, SHOWN } from "./support/answer-text.ts";
import { it } from "./support/browser-test.ts";
import { openChat, savedAnswers, uninterruptedText } from "./support/chat-page.ts";
import { entriesOf, seqOf } from "./support/entries.ts";
import { holdNetwork } from "./support/held-network.ts";
import { recordedResponses } from "./support/recorded-wire.ts";

describe("a reload in the middle of an answer", () => {
  it("shows the text read so far while every answer of the network is held back, then gets only what was missing", async ({
    model,
    visitor,
  }) => {
    const chat = await openChat(visitor);
    await chat.ask("What survives a reload?");
    const run = await model.run("What survives a reload?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const read = await chat.text();

    const network = await holdNetwork(chat.page);
    await chat.page.reload();
    await chat.answer.waitFor();
    expect(await chat.text()).toBe(read);
    expect(await chat.answer.getAttribute("data-status")).toBe("connecting");
    expect(await chat.page.locator("[data-role=user]").textContent()).toBe("What survives a reload?");

    run.write(MIDDLE);
    await network.release();
    await chat.shows(SHOWN.middle);
    run.write(REST);
    run.finish();
    await chat.reaches("done");

    const [response, ...others] = await recordedResponses(chat.page);
    expect(others).toEqual([]);
    const cursor = new URL(response?.url ?? "").searchParams.get("cursor") ?? "";
    const sent = entriesOf(response?.body ?? "").map(({ id }) => seqOf(id));
    expect(seqOf(cursor)).toBeGreaterThan(OPENING.length / 4);
    expect(sent).toEqual(Array.from(sent, (_, index) => seqOf(cursor) + 1 + index));
    expect(sent.length).toBeGreaterThan((MIDDLE + REST).length / 4);
    expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
  });

  it("goes on live", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("Do you go on?");
    const run = await model.run("Do you go on?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    await chat.page.reload();
    await chat.reaches("streaming");
    expect(await chat.badge.textContent()).toBe("Live");
    run.write(MIDDLE);
    await chat.shows(SHOWN.middle);
    run.finish();
    await chat.reaches("done");
    expect(await chat.answer.textContent()).toContain("Rejoined after a reload");
  });

  it("may happen again and again, and the model runs once", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("How often?");
    const run = await model.run("How often?");
    for (const [text, shown] of [
      [OPENING, SHOWN.opening],
      [MIDDLE, SHOWN.middle],
      [REST, SHOWN.rest],
    ] as const) {
      run.write(text);
      await chat.shows(shown);
      await chat.page.reload();
    }
    run.finish();
    await chat.reaches("done");
    expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
    expect(model.runsOf("How often?")).toBe(1);
  });

  it("finds the whole answer when the model finished while the page was away", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("Will you wait?");
    const run = await model.run("Will you wait?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const address = chat.page.url();
    await chat.page.goto("about:blank");
    run.write(MIDDLE + REST);
    run.finish();
    await run.closed;
    await chat.page.goto(address);
    await chat.reaches("done");
    await chat.shows(SHOWN.rest);
    expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
  });
});

describe("a reload after the end", () => {
  it("paints the answer from the tab while the network is held back", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("Are you still there?");
    const run = await model.run("Are you still there?");
    run.write(OPENING + MIDDLE + REST);
    run.finish();
    await chat.reaches("done");
    const text = await chat.text();
    await holdNetwork(chat.page);
    await chat.page.reload();
    await chat.reaches("done");
    expect(await chat.text()).toBe(text);
  });
});

describe("a reload before the first byte", () => {
  it("follows the answer of a question that the server got, and never sends it again", async ({
    model,
    visitor,
  }) => {
    const chat = await openChat(visitor);
    const posts: Request[] = [];
    chat.page.on("request", (request) => {
      if (request.method() === "POST") posts.push(request);
    });
    // The server gets the question; its response never reaches the page.
    await chat.page.route("**/api/chat", async (route) => {
      const request = route.request();
      const headers = Object.entries(await request.allHeaders()).filter(([name]) => !isConnections(name));
      await fetch(request.url(), { method: "POST", headers: new Headers(headers), body: request.postData() });
    });
    await chat.ask("Did you hear me?");
    const run = await model.run("Did you hear me?");
    await chat.page.reload();
    await chat.reaches("streaming");
    run.write(OPENING + MIDDLE + REST);
    run.finish();
    await chat.reaches("done");
    await chat.shows(SHOWN.rest);
    expect(posts).toHaveLength(1);
    expect(model.runsOf("Did you hear me?")).toBe(1);
    expect(await savedAnswers(chat)).toHaveLength(1);
  });

  it("shows the question while nothing is known of its answer", async ({ visitor }) => {
    const chat = await openChat(visitor);
    const network = await holdNetwork(chat.page);
    await chat.ask("Anybody?");
    await chat.page.reload();
    await chat.reaches("connecting");
    expect(await chat.page.locator("[data-role=user]").textContent()).toBe("Anybody?");
    await network.release();
  });
});

describe("the saved answer", () => {
  it("is the fold of the stream, byte for byte", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("What is kept?");
    const run = await model.run("What is kept?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    await chat.page.reload();
    run.write(MIDDLE + REST);
    run.finish();
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

/** Headers of a connection are not a request's own. */
function isConnections(name: string): boolean {
  return name.startsWith(":") || ["connection", "content-length", "host"].includes(name);
}
