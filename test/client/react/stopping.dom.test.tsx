/** Stop: what the user sees at once, and what is seen through, whatever comes between. */
import { describe, expect } from "vitest";
import { Answer, press, shown } from "../../support/answer.tsx";
import { ask, Ask } from "../../support/ask.tsx";
import { FRAME_MS, pass, settle } from "../../support/fake-time.ts";
import { carryOn, type Carrier } from "../../support/network.ts";
import { setOnline } from "../../support/page-signals.ts";
import { chunk, it, type StreamApp } from "../../support/stream-app.tsx";

const STOP = "POST /api/streams/s/stop";
const stops = (app: StreamApp): number => app.network.requests.filter((request) => request === STOP).length;

/** A network that does something else with requests to stop. */
const forStops =
  (carry: Carrier): Carrier =>
  (request, next) =>
    request.url.endsWith("/stop") ? carry(request, next) : next();

const never = (): Promise<never> => new Promise(() => {});

describe("stop", () => {
  it("ends the model's run, and keeps what was written", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    press("Stop");
    await pass();
    expect(shown()).toMatchObject({ text: "Hel", status: "stopped", isStopping: false, error: null });
    expect(app.source.signal()?.aborted).toBe(true);
    expect(stops(app)).toBe(1);
  });

  it("shows at once, before the server has heard of it", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.hold();
    press("Stop");
    expect(shown()).toMatchObject({ text: "Hel", status: "streaming", isStopping: true });
  });

  it("shows at once also while a replay lasts", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await settle();
    await app.says("Hel");
    const entry = `id: ${shown().cursor.replace(/\d+$/, "2")}\ndata: ${JSON.stringify(chunk.text("Hel"))}\n\n`;
    app.leave();
    // Of all that was written only the beginning comes, and nothing says that it is live.
    app.network.carry = async () =>
      new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode(entry)) }), {
        headers: { "content-type": "text/event-stream" },
      });
    app.load(<Answer id="s" />);
    await pass(300);
    expect(shown()).toMatchObject({ status: "replaying" });
    press("Stop");
    expect(shown()).toMatchObject({ status: "replaying", isStopping: true });
  });

  it("is sent by a request that outlives the page", async ({ app }) => {
    const keepalives: Record<string, boolean | undefined> = {};
    await app.startElsewhere("s");
    app.load(<Answer id="s" />, {
      fetch: (input, init) => {
        keepalives[init?.method ?? "GET"] = init?.keepalive;
        return app.fetch(input, init);
      },
    });
    await app.says("Hel");
    press("Stop");
    await settle();
    expect(keepalives).toEqual({ GET: undefined, POST: true });
  });

  it("pressed again and again is sent once", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    const release = app.network.hold();
    for (let time = 0; time < 5; time += 1) press("Stop");
    await pass();
    release();
    await pass();
    expect(shown().status).toBe("stopped");
    expect(stops(app)).toBe(1);
  });

  it("that overtook the request which starts the stream is sent again when there is one", async ({ app }) => {
    const arrive = app.network.hold();
    app.load([<Ask key="ask" id="s" />, <Answer key="answer" id="s" />]);
    ask();
    await pass();
    app.network.carry = carryOn;
    press("Stop");
    await pass(5_000);
    expect(shown()).toMatchObject({ isStopping: true });
    expect(stops(app)).toBeGreaterThan(1);
    arrive();
    await pass(10_000);
    expect(shown()).toMatchObject({ status: "stopped", isStopping: false });
    expect(app.source.signal()?.aborted).toBe(true);
    expect(app.source.starts()).toBe(1);
  });

  it("that the server refuses is given up, and the answer goes on", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    const error = { code: "forbidden", message: "You may not stop this." };
    app.network.carry = forStops(async () => Response.json({ error }, { status: 403 }));
    press("Stop");
    await settle();
    expect(shown()).toMatchObject({ status: "streaming", isStopping: false, error });
    await app.finishes("lo");
    await pass(60_000);
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(stops(app)).toBe(1);
  });

  it.for([
    ["fails", async () => Response.error()],
    ["meets a server in trouble", async () => new Response(null, { status: 503 })],
  ] as const)("whose request %s is sent again", async ([, carry], { app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.carry = forStops(carry);
    press("Stop");
    await settle();
    expect(shown()).toMatchObject({ status: "streaming", isStopping: true });
    app.network.carry = carryOn;
    await pass(250);
    expect(shown()).toMatchObject({ text: "Hel", status: "stopped" });
    expect(stops(app)).toBe(2);
  });

  it("whose request is not answered is sent again after 20 seconds", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.carry = forStops(never);
    press("Stop");
    await pass(20_000 - FRAME_MS);
    expect(stops(app)).toBe(1);
    app.network.carry = carryOn;
    await pass(FRAME_MS + 250);
    expect(shown()).toMatchObject({ text: "Hel", status: "stopped" });
    expect(stops(app)).toBe(2);
  });

  it("whose request was lost with the page is sent by the next one", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.carry = forStops(never);
    press("Stop");
    app.leave();
    app.network.carry = carryOn;
    app.load(<Answer id="s" />);
    expect(shown()).toMatchObject({ text: "Hel", isStopping: true });
    await pass();
    expect(shown()).toMatchObject({ text: "Hel", status: "stopped", isStopping: false });
    expect(app.source.signal()?.aborted).toBe(true);
  });

  it("whose request was lost with the page waits until the next one has a network", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.carry = forStops(never);
    press("Stop");
    app.leave();
    app.network.carry = carryOn;
    setOnline(false, { silently: true });
    const before = app.network.requests.length;
    app.load(<Answer id="s" />);
    await pass(5_000);
    expect(shown()).toMatchObject({ status: "offline", isStopping: true });
    expect(app.network.requests).toHaveLength(before);
    setOnline(true);
    await pass();
    expect(shown()).toMatchObject({ text: "Hel", status: "stopped" });
  });

  it("is not revived by a reload", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    press("Stop");
    await pass();
    app.leave();
    const before = app.network.requests.length;
    app.load(<Answer id="s" />);
    await pass(60_000);
    expect(shown()).toMatchObject({ text: "Hel", status: "stopped" });
    expect(app.network.requests).toHaveLength(before);
  });

  it("is seen through when its component is gone", async ({ app }) => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.carry = forStops(async () => Response.error());
    press("Stop");
    page.rerender(app.wrap(null));
    await pass(6_000);
    app.network.carry = carryOn;
    await pass(10_000);
    expect(app.source.signal()?.aborted).toBe(true);
  });

  it("reaches a stream that this page may not read: the model may be running", async ({ app }) => {
    await app.startElsewhere("s");
    app.network.carry = async (request, next) =>
      request.method === "GET" ? new Response(null, { status: 403 }) : next();
    app.load(<Answer id="s" />);
    await pass();
    expect(shown()).toMatchObject({ status: "error" });
    press("Stop");
    expect(shown()).toMatchObject({ status: "error", isStopping: true });
    await pass();
    expect(shown()).toMatchObject({ status: "error", isStopping: false });
    expect(app.source.signal()?.aborted).toBe(true);
    expect(stops(app)).toBe(1);
  });

  it("is seen through when the stream cannot be read any more", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.carry = async () => new Response(null, { status: 503 });
    press("Stop");
    await settle();
    app.network.carry = async (request) =>
      new Response(null, { status: request.method === "GET" ? 403 : 503 });
    app.network.cut();
    await settle();
    expect(shown()).toMatchObject({ status: "error", isStopping: true });
    app.network.carry = carryOn;
    await pass(1_000);
    expect(shown()).toMatchObject({ status: "error", isStopping: false });
    expect(app.source.signal()?.aborted).toBe(true);
  });

  it("of a stream whose start was refused sends nothing", async ({ app }) => {
    app.network.carry = async () => new Response(null, { status: 400 });
    app.load([<Ask key="ask" id="s" />, <Answer key="answer" id="s" />]);
    ask();
    await pass();
    expect(shown()).toMatchObject({ status: "error" });
    press("Stop");
    await pass(1_000);
    expect(stops(app)).toBe(0);
  });

  it("of a stream that has ended sends nothing", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.finishes("Hello");
    press("Stop");
    await pass();
    expect(shown()).toMatchObject({ text: "Hello", status: "done", isStopping: false });
    expect(stops(app)).toBe(0);
  });
});
