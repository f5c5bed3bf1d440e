/** Cuts and other readers in real Chromium, against the page that `npm start` serves. */
import { describe, expect } from "vitest";
import { MIDDLE, OPENING, REST, SHOWN } from "./support/answer-text.ts";
import { it } from "./support/browser-test.ts";
import { openChat, savedAnswers, uninterruptedText } from "./support/chat-page.ts";
import { entriesOf, seqOf } from "./support/entries.ts";
import { recordedResponses } from "./support/recorded-wire.ts";

describe("a network that goes off and on in the middle", () => {
  it("says so, keeps what was read, and goes on without a word lost or twice", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("Off and on?");
    const run = await model.run("Off and on?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const read = await chat.text();

    await visitor.setOffline(true);
    await chat.reaches("offline");
    expect(await chat.badge.textContent()).toBe("Offline");
    run.write(MIDDLE);
    expect(await chat.text()).toBe(read);

    await visitor.setOffline(false);
    await chat.reaches("streaming");
    expect(await chat.badge.textContent()).toBe("Live");
    await chat.shows(SHOWN.middle);
    run.write(REST);
    run.finish();
    await chat.reaches("done");

    const responses = await recordedResponses(chat.page);
    expect(responses.map(({ method }) => method)).toEqual(["POST", "GET"]);
    const cursor = new URL(responses[1]?.url ?? "").searchParams.get("cursor") ?? "";
    const missing = entriesOf(responses[1]?.body ?? "");
    expect(seqOf(missing[0]?.id)).toBe(seqOf(cursor) + 1);
    expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
    expect(await chat.answer.textContent()).toContain("Rejoined after a cut");
    expect(model.runsOf("Off and on?")).toBe(1);
  });

  it("catches up at once when the answer ended meanwhile", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("Gone by then?");
    const run = await model.run("Gone by then?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    await visitor.setOffline(true);
    await chat.reaches("offline");
    run.write(MIDDLE + REST);
    run.finish();
    await run.closed;
    await visitor.setOffline(false);
    await chat.reaches("done");
    expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
  });

  it("is waited for by a page that is opened without one, which shows what it knows and asks nothing", async ({
    model,
    visitor,
  }) => {
    const chat = await openChat(visitor);
    await chat.ask("Opened in a tunnel?");
    const run = await model.run("Opened in a tunnel?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const read = await chat.text();

    // The page itself comes without a network, as from a service worker; what it asks for does not.
    await chat.page.route(
      ({ pathname }) => !pathname.startsWith("/api/"),
      async (route) => route.fulfill({ response: await visitor.request.get(route.request().url()) }),
    );
    await visitor.setOffline(true);
    const asked: string[] = [];
    chat.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await chat.page.reload();
    await chat.reaches("offline");
    expect(await chat.badge.textContent()).toBe("Offline");
    expect(await chat.text()).toBe(read);
    run.write(MIDDLE);
    expect(asked.filter((path) => path.startsWith("/api/streams"))).toEqual([]);

    await visitor.setOffline(false);
    await chat.reaches("streaming");
    await chat.shows(SHOWN.middle);
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    expect((await recordedResponses(chat.page)).map(({ method }) => method)).toEqual(["GET"]);
    expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
    expect(model.runsOf("Opened in a tunnel?")).toBe(1);
  });

  it("takes up a question that was asked without a network", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await visitor.setOffline(true);
    await chat.ask("Later?");
    await chat.badge.filter({ hasText: "Offline" }).waitFor();
    expect(model.runsOf("Later?")).toBe(0);
    await visitor.setOffline(false);
    const run = await model.run("Later?");
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    await chat.shows(SHOWN.rest);
    expect(model.runsOf("Later?")).toBe(1);
  });
});

describe("the button that cuts the connection", () => {
  it("cuts it for real, and the answer goes on when it is restored", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("Cut?");
    const run = await model.run("Cut?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const read = await chat.text();
    await chat.press("Cut the connection");
    await chat.reaches("reconnecting");
    expect(await chat.badge.textContent()).toBe("Reconnecting");
    run.write(MIDDLE);
    expect(await chat.text()).toBe(read);
    await chat.press("Restore the connection");
    await chat.shows(SHOWN.middle);
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    expect(await chat.text()).toBe(await uninterruptedText(visitor, chat));
  });
});

describe("a second tab", () => {
  it("sees the running answer live, and ends with the same text", async ({ model, visitor }) => {
    const first = await openChat(visitor);
    await first.ask("Both?");
    const run = await model.run("Both?");
    run.write(OPENING);
    await first.shows(SHOWN.opening);
    const second = await openChat(visitor, first.page.url());
    await second.reaches("streaming");
    await second.shows(SHOWN.opening);
    expect(await second.page.locator("[data-role=user]").textContent()).toBe("Both?");
    run.write(MIDDLE + REST);
    run.finish();
    await Promise.all([first.reaches("done"), second.reaches("done")]);
    expect(await second.text()).toBe(await first.text());
    expect(model.runsOf("Both?")).toBe(1);
  });

  it("that was open before hears of the question at once", async ({ model, visitor }) => {
    const first = await openChat(visitor);
    const second = await openChat(visitor, first.page.url());
    await first.ask("Heard?");
    const run = await model.run("Heard?");
    run.write(OPENING);
    await second.shows(SHOWN.opening);
    run.finish();
    await Promise.all([first.reaches("done"), second.reaches("done")]);
  });

  it("can stop the answer", async ({ model, visitor }) => {
    const first = await openChat(visitor);
    await first.ask("Stop there?");
    const run = await model.run("Stop there?");
    run.write(OPENING);
    await first.shows(SHOWN.opening);
    const second = await openChat(visitor, first.page.url());
    await second.reaches("streaming");
    await second.press("Stop");
    await Promise.all([first.reaches("stopped"), second.reaches("stopped")]);
    await run.closed;
    expect(await second.text()).toBe(await first.text());
  });
});

describe("two tabs", () => {
  it("of which one was reloaded and the other stops the answer end with the same text", async ({
    model,
    visitor,
  }) => {
    const first = await openChat(visitor);
    await first.ask("Agreed?");
    const run = await model.run("Agreed?");
    run.write(OPENING);
    await first.shows(SHOWN.opening);
    const second = await openChat(visitor, first.page.url());
    await second.shows(SHOWN.opening);
    await first.page.reload();
    run.write(MIDDLE);
    await Promise.all([first.shows(SHOWN.middle), second.shows(SHOWN.middle)]);
    await second.press("Stop");
    await run.closed;
    await Promise.all([first.reaches("stopped"), second.reaches("stopped")]);

    expect((await recordedResponses(first.page)).map(({ method }) => method)).toEqual(["GET"]);
    expect((await recordedResponses(second.page)).map(({ method }) => method)).toEqual(["GET"]);
    const text = await first.text();
    expect(text).toContain(SHOWN.middle);
    expect(await second.text()).toBe(text);
    // A third one, which was not there, has it from the server.
    const third = await openChat(visitor, first.page.url());
    await third.reaches("stopped");
    expect(await third.text()).toBe(text);
    expect(model.runsOf("Agreed?")).toBe(1);
  });
});

describe("a question that is sent twice", () => {
  it("by a double click is asked once", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.page.getByRole("textbox", { name: "Message" }).fill("Once?");
    await chat.page.getByRole("button", { name: "Send" }).dblclick();
    const run = await model.run("Once?");
    run.write(REST);
    run.finish();
    await chat.reaches("done");
    expect(await chat.page.locator("[data-role=user]").count()).toBe(1);
    expect(model.runsOf("Once?")).toBe(1);
  });

  it("by two requests at once runs the model once, and both read its answer", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    const ask = async (): Promise<string> => {
      const response = await visitor.request.post("/api/chat", {
        headers: { "x-resumable-stream-id": "asked-by-two" },
        data: { conversationId: chat.conversationId(), text: "We two?" },
      });
      return response.text();
    };
    const both = Promise.all([ask(), ask()]);
    const run = await model.run("We two?");
    run.write(OPENING + MIDDLE + REST);
    run.finish();
    const [one, other] = await both;
    expect(entriesOf(one)).toEqual(entriesOf(other));
    expect(model.runsOf("We two?")).toBe(1);
    expect(await savedAnswers(chat)).toHaveLength(1);
  });
});
