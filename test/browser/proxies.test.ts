/** What proxies do to a response of events, over real connections. */
import type { BrowserContext } from "playwright";
import { describe, expect } from "vitest";
import type { ScriptedModel } from "../support/scripted-model.ts";
import { MIDDLE, OPENING, REST, SHOWN } from "./support/answer-text.ts";
import { it as browserTest } from "./support/browser-test.ts";
import { openChat, uninterruptedText, type ChatPage } from "./support/chat-page.ts";
import { serveDemo } from "./support/demo-app.ts";
import { entriesOf, seqOf } from "./support/entries.ts";
import { bufferUntil, cutAfterMs, endAfterBytes, startHarmfulProxy } from "./support/harmful-proxy.ts";
import { recordedResponses } from "./support/recorded-wire.ts";

/** Long enough that a busy machine is not taken for a stall. */
const HEARTBEAT_MS = 700;

const it = browserTest
  // A proxy to the demo as it is.
  .extend("proxy", async ({ server }, { onCleanup }) => {
    const proxy = await startHarmfulProxy(server.url);
    onCleanup(() => proxy.close());
    return proxy;
  })
  // A proxy to a demo whose silence need not be waited for.
  .extend("lively", async ({ model }, { onCleanup }) => {
    const server = await serveDemo(model, HEARTBEAT_MS);
    const proxy = await startHarmfulProxy(server.url);
    onCleanup(async () => {
      await proxy.close();
      await server.close();
    });
    return proxy;
  });

describe("a proxy that stalls", () => {
  it("and keeps the connection is noticed after three heartbeats, and the answer goes on over another one", async ({
    model,
    lively: proxy,
    visitor,
  }) => {
    const chat = await openChat(visitor, proxy.url);
    await chat.ask("Hello?");
    const run = await model.run("Hello?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    proxy.stall();
    run.write(MIDDLE);
    await chat.shows(SHOWN.middle);
    const [stalled, next] = proxy.follows;
    await stalled?.closed;
    // The page's clock and the test's are not the same one.
    const silence = (next?.at ?? 0) - (stalled?.passedAt ?? 0);
    expect(silence).toBeGreaterThan(3 * HEARTBEAT_MS - 50);

    // Once more, and the end comes meanwhile.
    proxy.stall();
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    expect(proxy.follows.map(({ method }) => method)).toEqual(["POST", "GET", "GET"]);
    await expectExact(chat, visitor, model, "Hello?");
  });

  it("is left alone while it passes heartbeats, however long the model is silent", async ({
    model,
    lively: proxy,
    visitor,
  }) => {
    const chat = await openChat(visitor, proxy.url);
    await chat.ask("Thinking?");
    const run = await model.run("Thinking?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    await expect.poll(() => heartbeats(chat), { timeout: 20 * HEARTBEAT_MS }).toBeGreaterThan(4);
    run.write(MIDDLE + REST);
    run.finish();
    await chat.reaches("done");
    expect(proxy.follows).toHaveLength(1);
    await expectExact(chat, visitor, model, "Thinking?");
  });
});

describe("a proxy that cuts", () => {
  it("as if the response were over costs one request a cut, and nothing is sent twice", async ({
    model,
    proxy,
    visitor,
  }) => {
    let cuts = 0;
    proxy.harm(endAfterBytes(400, () => (cuts += 1)));
    const chat = await openChat(visitor, proxy.url);
    await chat.ask("In slices?");
    const run = await model.run("In slices?");
    run.write(OPENING + MIDDLE + REST);
    run.finish();
    await chat.reaches("done");
    expect(cuts).toBeGreaterThan(8);
    expect(proxy.follows).toHaveLength(1 + cuts);
    await expectExact(chat, visitor, model, "In slices?");
  });

  it("each connection when it is old loses no word of a slow answer", async ({ model, proxy, visitor }) => {
    const LIFE_MS = 300;
    proxy.harm(cutAfterMs(LIFE_MS));
    const chat = await openChat(visitor, proxy.url);
    await chat.ask("Slowly?");
    const run = await model.run("Slowly?");
    for (const [text, shown] of [
      [OPENING, SHOWN.opening],
      [MIDDLE, SHOWN.middle],
      [REST, SHOWN.rest],
    ] as const) {
      run.write(text);
      await chat.shows(shown);
      await proxy.follows.at(-1)?.closed;
    }
    run.finish();
    await chat.reaches("done");
    const times = proxy.follows.map(({ at }) => at);
    expect(times.length).toBeGreaterThan(3);
    // No request came before the connection before it was cut.
    for (const [index, at] of times.slice(1).entries())
      expect(at - (times[index] ?? 0)).toBeGreaterThan(LIFE_MS - 50);
    await expectExact(chat, visitor, model, "Slowly?");
  });
});

describe("a proxy that buffers", () => {
  it("and passes the answer on in bursts shows it in bursts, by one request", async ({
    model,
    proxy,
    visitor,
  }) => {
    const burst = Promise.withResolvers<void>();
    proxy.harm(bufferUntil(burst.promise));
    const chat = await openChat(visitor, proxy.url);
    await chat.ask("All at once?");
    const run = await model.run("All at once?");
    run.write(OPENING + MIDDLE);
    await chat.reaches("connecting");
    burst.resolve();
    await chat.shows(SHOWN.middle);
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    expect(proxy.follows).toHaveLength(1);
    await expectExact(chat, visitor, model, "All at once?");
  });

  it("until the end shows the whole answer then, by one request", async ({ model, proxy, visitor }) => {
    proxy.harm(bufferUntil(new Promise(() => {})));
    const chat = await openChat(visitor, proxy.url);
    await chat.ask("At the end?");
    const run = await model.run("At the end?");
    run.write(OPENING + MIDDLE + REST);
    run.finish();
    await chat.reaches("done");
    expect(proxy.follows).toHaveLength(1);
    await expectExact(chat, visitor, model, "At the end?");
  });
});

/** The page has the text of an uninterrupted reader, got each entry once, and the model ran once. */
async function expectExact(
  chat: ChatPage,
  visitor: BrowserContext,
  model: ScriptedModel,
  question: string,
): Promise<void> {
  const responses = await recordedResponses(chat.page);
  const read = responses.flatMap(({ body }) => entriesOf(body)).map(({ id }) => seqOf(id));
  expect(read).toEqual(Array.from(read, (_, index) => index + 1));
  await chat.shows(SHOWN.rest);
  expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
  expect(model.runsOf(question)).toBe(1);
}

/** How many signs of life the page has got. */
async function heartbeats(chat: ChatPage): Promise<number> {
  const responses = await recordedResponses(chat.page);
  return responses.reduce((sum, { body }) => sum + body.split(": heartbeat").length - 1, 0);
}
