/** When a stream is asked for again, when it is not, and what a user sees of it meanwhile. */
import { describe, expect, vi } from "vitest";
import { Answer, press, shown } from "../../support/answer.tsx";
import { ask, Ask } from "../../support/ask.tsx";
import { pass, settle } from "../../support/fake-time.ts";
import { carryOn } from "../../support/network.ts";
import { it } from "../../support/stream-app.tsx";

/** What a server says of an error. */
const refusal = (status: number, headers: HeadersInit = {}): Response =>
  Response.json({ error: { code: "internal", message: "Said by the server." } }, { status, headers });

/** What may go wrong, and the code that is shown of it. */
const FAILURES = [
  [
    "answers that are empty",
    null,
    () => new Response("", { headers: { "content-type": "text/event-stream" } }),
  ],
  [
    "a proxy's own page",
    "bad-response",
    () => new Response("<h1>Welcome</h1>", { headers: { "content-type": "text/html" } }),
  ],
  ["a server in trouble", "internal", () => refusal(500)],
  ["requests that fail", "network", () => Response.error()],
] as const;

/** What the dice of the jitter show, and the pauses that they make. */
const PAUSES = [
  ["the most", 1 - Number.EPSILON, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]],
  ["half", 0.5, [125, 250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]],
  ["nothing, which is no busy loop", 0, [50, 50, 50, 50, 50, 50, 50, 50]],
] as const;

describe.for(FAILURES)("the pauses after %s", ([, code, fail]) => {
  it.for(PAUSES)("grow from 250 ms to 10 s when the dice show %s", async ([, dice, pauses], { app }) => {
    vi.spyOn(Math, "random").mockReturnValue(dice);
    app.network.carry = async () => fail();
    app.load(<Answer id="s" />);
    await settle();
    for (const [index, pause] of pauses.entries()) {
      const { status, attempt, error, nextRetryAt } = shown();
      expect({ status, attempt }).toEqual({ status: "reconnecting", attempt: index + 1 });
      expect(error?.code ?? null).toBe(code);
      expect(nextRetryAt).toBe(Date.now() + pause);
      expect(app.network.requests).toHaveLength(index + 1);
      await pass(pause);
    }
  });
});

describe("a stream that could not be read", () => {
  it("tells why, which attempt it is, and when the next one begins; and nothing of it once it can", async ({
    app,
  }) => {
    await app.startElsewhere("s");
    app.network.carry = async () => refusal(503);
    app.load(<Answer id="s" />);
    await settle();
    const error = { code: "internal", message: "Said by the server." };
    expect(shown()).toMatchObject({ status: "reconnecting", error, attempt: 1 });
    app.network.carry = carryOn;
    await pass((shown().nextRetryAt ?? 0) - Date.now());
    await app.says("Hello");
    expect(shown()).toMatchObject({ status: "streaming", error: null, attempt: 0, nextRetryAt: null });
  });

  it.for([
    ["in seconds", "7"],
    ["as a date", "Sun, 01 Mar 2026 12:00:07 GMT"],
  ])("is left alone for as long as the server asks for %s", async ([, retryAfter], { app }) => {
    await app.startElsewhere("s");
    app.network.carry = async () => refusal(429, { "retry-after": retryAfter ?? "" });
    app.load(<Answer id="s" />);
    await settle();
    expect(shown().nextRetryAt).toBe(Date.now() + 7_000);
    app.network.carry = carryOn;
    await pass(6_999);
    expect(app.network.requests).toHaveLength(1);
    await pass(1);
    expect(app.network.requests).toHaveLength(2);
    expect(shown().status).toBe("streaming");
  });

  it.for([408, 425, 429, 500, 502, 503, 504])("is asked for again after a %i", async (status, { app }) => {
    await app.startElsewhere("s");
    app.network.carry = async () => refusal(status);
    app.load(<Answer id="s" />);
    await settle();
    expect(shown().status).toBe("reconnecting");
    app.network.carry = carryOn;
    await pass(250);
    await app.finishes("Hello");
    expect(shown()).toMatchObject({ text: "Hello", status: "done", error: null });
  });

  it.for([400, 401, 402, 403, 405, 409, 410, 422, 451])(
    "is not after a %i, but by hand",
    async (status, { app }) => {
      await app.startElsewhere("s");
      app.network.carry = async () => refusal(status);
      app.load(<Answer id="s" />);
      await pass(60_000);
      const error = { code: "internal", message: "Said by the server." };
      expect(shown()).toMatchObject({ status: "error", error, attempt: 0, nextRetryAt: null });
      expect(app.network.requests).toHaveLength(1);
      app.network.carry = carryOn;
      press("Try again");
      await app.finishes("Hello");
      expect(shown()).toMatchObject({ text: "Hello", status: "done", error: null });
    },
  );
});

describe("a 401", () => {
  const unlessFresh = (request: Request, next: () => Promise<Response>): Promise<Response> =>
    request.headers.get("authorization") === "fresh" ? next() : Promise.resolve(refusal(401));

  it("asks for the headers again, and nobody notices", async ({ app }) => {
    await app.startElsewhere("s");
    app.network.carry = unlessFresh;
    const tokens = ["stale", "fresh"];
    app.load(<Answer id="s" />, { headers: async () => ({ authorization: tokens.shift() ?? "" }) });
    await app.finishes("Hello");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.network.requests).toHaveLength(2);
  });

  it("ends it when the headers are no better the second time", async ({ app }) => {
    await app.startElsewhere("s");
    app.network.carry = unlessFresh;
    let token = "stale";
    const headers = vi.fn(() => ({ authorization: token }));
    app.load(<Answer id="s" />, { headers });
    await pass(60_000);
    expect(shown().status).toBe("error");
    expect(headers).toHaveBeenCalledTimes(2);
    expect(app.network.requests).toHaveLength(2);
    token = "fresh";
    press("Try again");
    await app.finishes("Hello");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });

  it("asks with the headers of a render that came meanwhile", async ({ app }) => {
    await app.startElsewhere("s");
    await app.says("Hi");
    app.network.carry = unlessFresh;
    const release = app.network.hold();
    const page = app.load(<Answer id="s" />, { headers: { authorization: "stale" } });
    await settle();
    page.rerender(app.wrap(<Answer id="s" />, { headers: { authorization: "fresh" } }));
    release();
    await pass();
    expect(shown()).toMatchObject({ text: "Hi", status: "streaming" });
    expect(app.network.requests).toHaveLength(2);
  });

  it("ends it at once where the headers are always the same", async ({ app }) => {
    await app.startElsewhere("s");
    app.network.carry = unlessFresh;
    app.load(<Answer id="s" />, { headers: { authorization: "stale" } });
    await pass(60_000);
    expect(shown().status).toBe("error");
    expect(app.network.requests).toHaveLength(1);
  });
});

describe("a stream that is not there", () => {
  it("is missing at once where nobody knew of it", async ({ app }) => {
    app.load(<Answer id="s" />);
    await pass(60_000);
    const error = { code: "missing", message: "There is no such stream." };
    expect(shown()).toMatchObject({ status: "missing", error });
    expect(app.network.requests).toHaveLength(1);
  });

  it("is waited for where it was just asked for here, over a reload too", async ({ app }) => {
    const arrive = app.network.hold();
    app.load([<Ask key="ask" id="s" />, <Answer key="answer" id="s" />]);
    ask();
    await pass(1_000);
    app.leave();
    app.network.carry = carryOn;
    app.load(<Answer id="s" />);
    await pass(20_000);
    expect(shown()).toMatchObject({ status: "reconnecting", error: { code: "missing" } });
    arrive();
    await app.finishes("Hello");
    await pass(10_000);
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.source.starts()).toBe(1);
  });

  it("is not waited for longer than 30 seconds", async ({ app }) => {
    app.network.hold();
    app.load([<Ask key="ask" id="s" />, <Answer key="answer" id="s" />]);
    ask();
    await pass(1_000);
    app.leave();
    app.network.carry = carryOn;
    app.load(<Answer id="s" />);
    await pass(29_000);
    expect(shown().status).toBe("reconnecting");
    await pass(11_000);
    expect(shown().status).toBe("missing");
    const { length } = app.network.requests;
    await pass(60_000);
    expect(app.network.requests).toHaveLength(length);
  });

  it("is waited for where it was live before", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.carry = async () => refusal(404);
    app.network.cut();
    await pass(5_000);
    expect(shown()).toMatchObject({ text: "Hel", status: "reconnecting" });
    app.network.carry = carryOn;
    await pass(10_000);
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });
});
