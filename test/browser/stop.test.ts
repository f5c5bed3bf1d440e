/** Stopping, and failing, in real Chromium, against the page that `npm start` serves. */
import { describe, expect } from "vitest";
import { MIDDLE, OPENING, REST, SHOWN } from "./support/answer-text.ts";
import { it } from "./support/browser-test.ts";
import { openChat, savedAnswers, type ChatPage } from "./support/chat-page.ts";
import { holdNetwork } from "./support/held-network.ts";

/**
 * A browser has six connections to a server, of which the answer that is shown has one. This tab takes the others, and
 * the next one that is let go.
 */
async function takeConnections({ page, conversationId }: ChatPage): Promise<void> {
  await page.evaluate(async (thread) => {
    const found = await fetch(`/api/streams/?thread=${thread}`);
    const { streamId } = await found.json();
    const follow = (): Promise<Response> => fetch(`/api/streams/${streamId}`);
    await Promise.all(Array.from({ length: 5 }, follow));
    void follow();
  }, conversationId());
}

describe("Stop", () => {
  it("ends the model's run, keeps what was written, and lets the next question in", async ({
    model,
    visitor,
  }) => {
    const chat = await openChat(visitor);
    await chat.ask("Too long?");
    const run = await model.run("Too long?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const read = await chat.text();
    await chat.press("Stop");
    await chat.reaches("stopped");
    await run.closed;
    expect(await chat.text()).toBe(read);
    expect(await chat.badge.textContent()).toBe("Stopped");
    await expect.poll(() => savedAnswers(chat)).toMatchObject([{ status: "stopped" }]);

    await chat.ask("And now?");
    const next = await model.run("And now?");
    expect(next.request.body.messages.map(({ content }) => content)).toContain(OPENING);
    next.write(REST);
    next.finish();
    await chat.page.locator("[data-role=assistant]").nth(1).waitFor();
    await chat.reaches("done");
  });

  it("is not undone by a reload that follows at once", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("Sure?");
    const run = await model.run("Sure?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const read = await chat.text();
    // Both in one task of the page: it goes before the server can have answered.
    await chat.page.evaluate(() => {
      document.querySelector<HTMLButtonElement>("button[aria-label=Stop]")?.click();
      location.reload();
    });
    await run.closed;
    await chat.reaches("stopped");
    expect(await chat.text()).toBe(read);
    await chat.page.reload();
    await chat.reaches("stopped");
    expect(await chat.text()).toBe(read);
    expect(model.runsOf("Sure?")).toBe(1);
  });

  it("holds when the tab is closed before the request could leave, and nobody comes back", async ({
    model,
    visitor,
  }) => {
    const chat = await openChat(visitor);
    await chat.ask("Now or never?");
    const run = await model.run("Now or never?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    const other = await openChat(visitor, "/");
    await takeConnections({ ...other, conversationId: chat.conversationId });
    const sent = chat.page.waitForRequest("**/stop");
    await chat.press("Stop");
    await sent;
    await chat.page.close();
    // When another one is there, nothing is left of the tab.
    await openChat(visitor, "about:blank");
    await other.page.close();
    await run.closed;
  });

  it("holds for a question that it overtook", async ({ visitor }) => {
    const chat = await openChat(visitor);
    const questions = await holdNetwork(chat.page, "**/api/chat");
    await chat.ask("Too late?");
    await chat.press("Stop");
    await questions.release();
    await chat.reaches("stopped");
    await expect.poll(() => savedAnswers(chat)).toMatchObject([{ status: "stopped" }]);
  });
});

describe("a model that fails", () => {
  it("in the middle says so, keeps what was written, and can be asked again", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    await chat.ask("Well?");
    const run = await model.run("Well?");
    run.write(OPENING);
    await chat.shows(SHOWN.opening);
    run.cut();
    await chat.reaches("error");
    await chat.shows(SHOWN.opening);
    expect(await chat.answer.getByRole("alert").textContent()).toContain("The model's answer broke off");
    await chat.press("Ask again");
    const again = await model.run("Well?");
    again.write(MIDDLE);
    again.finish();
    await chat.page.locator("[data-role=assistant]").nth(1).waitFor();
    await chat.reaches("done");
  });

  it("at once says why, in words for users", async ({ model, visitor }) => {
    const chat = await openChat(visitor);
    model.refuse(401, '{"error":{"message":"secret details"}}');
    await chat.ask("May I?");
    await chat.reaches("error");
    const alert = await chat.answer.getByRole("alert").textContent();
    expect(alert).toContain("The model server refused the key (401).");
    expect(alert).not.toContain("secret");
  });
});
