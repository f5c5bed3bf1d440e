/** Events that come twice, not at all, or of another run: the answer is what it would be without. */
import { describe, expect } from "vitest";
import { Answer, shown } from "../../support/answer.tsx";
import { pass } from "../../support/fake-time.ts";
import { carryOn, type Carrier } from "../../support/network.ts";
import { it, type StreamApp } from "../../support/stream-app.tsx";

/** A network that does something to the events of a response that has ended. */
const rewriting =
  (rewrite: (events: readonly string[]) => readonly string[]): Carrier =>
  async (_request, next) => {
    const response = await next();
    const events = (await response.text()).split("\n\n").slice(0, -1);
    return new Response(
      rewrite(events)
        .map((event) => `${event}\n\n`)
        .join(""),
      response,
    );
  };

const isEntry = (event: string): boolean => !event.includes("event: ");

async function answered(app: StreamApp): Promise<void> {
  await app.startElsewhere("s");
  for (const text of ["Nothing ", "twice, ", "nothing ", "lost"]) await app.says(text);
  await app.finishes(".");
}

const ANSWER = { text: "Nothing twice, nothing lost.", status: "done" };

describe("an event", () => {
  it("that comes twice changes nothing", async ({ app }) => {
    await answered(app);
    app.network.carry = rewriting((events) =>
      events.flatMap((event) => (isEntry(event) ? [event, event] : event)),
    );
    app.load(<Answer id="s" />);
    await pass();
    expect(shown()).toMatchObject(ANSWER);
    expect(app.network.requests).toHaveLength(1);
  });

  it("that comes again after later ones changes nothing", async ({ app }) => {
    await answered(app);
    app.network.carry = rewriting((events) =>
      events.flatMap((event, at) => (isEntry(event) ? [event, ...events.slice(0, at)] : event)),
    );
    app.load(<Answer id="s" />);
    await pass();
    expect(shown()).toMatchObject(ANSWER);
    expect(app.network.requests).toHaveLength(1);
  });

  it("that was read before, and is sent again after a cut, changes nothing", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Nothing ");
    await app.says("twice, ");
    // What answers next pays no heed to where this page is.
    app.network.carry = async (request) => {
      app.network.carry = carryOn;
      return fetch(request.url.replace(/&cursor=.*/, ""));
    };
    app.network.cut();
    await app.says("nothing ");
    await app.finishes("lost.");
    expect(shown()).toMatchObject(ANSWER);
    expect(app.network.received.at(-1)).toContain("twice");
  });

  it.for([0, 1, 2, 3, 4, 5])(
    "that is missing, the one at %i, is asked for, and nothing after it is taken",
    async (missing, { app }) => {
      await answered(app);
      app.network.carry = rewriting((events) => {
        app.network.carry = carryOn;
        return events.filter((_event, at) => at !== missing);
      });
      app.load(<Answer id="s" />);
      await pass(250);
      expect(shown()).toMatchObject(ANSWER);
      expect(app.network.requests).toHaveLength(2);
      const { searchParams } = new URL(app.network.sent[1]?.url ?? "");
      expect(searchParams.get("cursor")?.split(".")[1] ?? "0").toBe(String(missing));
    },
  );
});

describe("another run under the same id", () => {
  it("takes the place of what was read", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Old.");
    const release = app.network.hold();
    app.network.cut();
    await app.context.delete("s");
    await app.startElsewhere("s");
    expect(shown().text).toBe("Old.");
    release();
    await pass();
    expect(shown()).toMatchObject({ text: "", status: "streaming" });
    await app.finishes("New.");
    expect(shown()).toMatchObject({ text: "New.", status: "done" });
  });

  it("takes the place of what was read before a reload", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Old.");
    app.leave();
    await app.context.delete("s");
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    expect(shown().text).toBe("Old.");
    await app.finishes("New.");
    expect(shown()).toMatchObject({ text: "New.", status: "done" });
  });

  it("does so also where nothing but its events says that it is another one", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Old.");
    app.leave();
    await app.context.delete("s");
    await app.startElsewhere("s");
    await app.finishes("New.");
    app.network.carry = rewriting((events) => events.filter((event) => !event.includes("rejoin.reset")));
    app.load(<Answer id="s" />);
    await pass();
    expect(shown()).toMatchObject({ text: "New.", status: "done" });
  });
});
