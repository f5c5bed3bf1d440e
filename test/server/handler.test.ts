/** The wire, over real HTTP: what each request is answered, as `docs/PROTOCOL.md` says. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  createResumableStreamHandler,
  createResumableStreamResponse,
  type FinishedStream,
  type ResumableStreamContext,
  type StreamAccess,
} from "../../src/server/index.ts";
import { parseCursor } from "../../src/shared/cursor.ts";
import { serveFetch, type TestServer } from "../support/http-server.ts";
import { streamOf } from "../support/streams.ts";
import { scriptedSource, type ScriptedSource } from "../support/scripted-source.ts";
import { controlOf, eventsOf, payloadsOf, readEvents } from "../support/sse-client.ts";
import { sseOf, textPayloads, textProtocol, type TextMessage } from "../support/text-protocol.ts";

interface App {
  readonly server: TestServer;
  readonly context: ResumableStreamContext;
  readonly source: ScriptedSource<string>;
  readonly finished: FinishedStream<TextMessage>[];
  readonly errors: unknown[];
  /** What `authorize` does; by default the request's user must be the owner. */
  authorize: (request: Request, access: StreamAccess) => boolean | 401 | 403 | Promise<boolean>;
}

const payloads = textPayloads("Hel", "lo");
const userOf = (request: Request): string | null => request.headers.get("x-user");

let app: App;

beforeEach(async () => {
  const source = scriptedSource();
  const errors: unknown[] = [];
  const finished: FinishedStream<TextMessage>[] = [];
  const context = createResumableStreamContext({
    store: createInMemoryResumableStreamStore({ maxChunkBytes: 2000, maxStreamBytes: 4000 }),
    onError: (_id, error) => errors.push(error),
  });
  const handler = createResumableStreamHandler({
    context,
    basePath: "/api/streams",
    authorize: (request, access) => app.authorize(request, access),
  });
  const server = await serveFetch((request) =>
    new URL(request.url).pathname === "/api/chat"
      ? createResumableStreamResponse({
          request,
          context,
          owner: userOf(request),
          protocol: textProtocol,
          source: source.make,
          thread: "chat-1",
          onFinish: (answer) => finished.push(answer),
        })
      : handler(request),
  );
  const authorize: App["authorize"] = (request, access) =>
    access.action === "find" || access.owner === userOf(request);
  app = { server, context, source, errors, finished, authorize };
});

afterEach(async () => {
  await app.context.close();
  await app.server.close();
});

const asAda = { "x-user": "ada" };

function start(id = "s1", headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${app.server.url}/api/chat`, {
    method: "POST",
    headers: { ...asAda, "x-resumable-stream-id": id, "x-rejoin-control": "1", ...headers },
  });
}

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${app.server.url}/api/streams${path}`, { ...init, headers: { ...asAda, ...init.headers } });
}

/** A stream that has ended with the whole answer. */
async function answered(id = "s1"): Promise<string[]> {
  app.source.write(sseOf(payloads));
  app.source.end();
  const events = await readEvents(await start(id));
  return events.flatMap((event) => (event.event === undefined ? [event.id ?? ""] : []));
}

async function expectError(response: Response, status: number, code: string): Promise<void> {
  expect([response.status, response.headers.get("content-type")]).toEqual([status, "application/json"]);
  expect(await response.json()).toEqual({ error: { code, message: expect.any(String) } });
}

describe("starting a stream", () => {
  it("answers with the events, each with its cursor, and with the one true end", async () => {
    app.source.write(sseOf(payloads));
    app.source.end();
    const response = await start();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      "x-resumable-stream-id": "s1",
    });
    const events = await readEvents(response);
    expect(payloadsOf(events)).toEqual(payloads);
    expect(events.slice(0, 3).map((event) => parseCursor(event.id ?? "")?.seq)).toEqual([1, 2, 3]);
    expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
  });

  it("runs the model once for a request that comes twice, at once or later, and gives everyone the answer", async () => {
    const [first, second] = await Promise.all([start(), start()]);
    app.source.write(sseOf(payloads));
    app.source.end();
    const third = await start();
    for (const response of [first, second, third])
      expect(payloadsOf(await readEvents(response))).toEqual(payloads);
    expect(app.source.starts()).toBe(1);
  });

  it("hands the folded message to onFinish, once, also when everyone has left", async () => {
    const response = await start();
    await response.body?.cancel();
    app.source.write(sseOf(payloads));
    app.source.end();
    await vi.waitFor(() => expect(app.finished).toHaveLength(1));
    expect(app.finished[0]).toEqual({
      streamId: "s1",
      status: "done",
      message: { text: "Hello", status: "done" },
    });
  });

  it("needs an id that is one", async () => {
    await expectError(await start(".."), 400, "invalid-id");
    await expectError(await start("a/b"), 400, "invalid-id");
    await expectError(await start("x".repeat(257)), 400, "invalid-id");
    await expectError(await fetch(`${app.server.url}/api/chat`, { method: "POST" }), 400, "invalid-id");
    expect(app.source.starts()).toBe(0);
  });

  it("goes on from a cursor, as a GET does", async () => {
    const cursors = await answered();
    const events = await readEvents(await start("s1", { "last-event-id": cursors[1] ?? "" }));
    expect(payloadsOf(events)).toEqual(payloads.slice(2));
  });
});

describe("following", () => {
  it("replays what was said and goes on live, with one line between the two", async () => {
    await start();
    app.source.write(sseOf(payloads.slice(0, 1)));
    const events = [];
    for await (const event of eventsOf(await ask("/s1?control=1"))) {
      events.push(event);
      if (event.event === "rejoin.live") {
        app.source.write(sseOf(payloads.slice(1)));
        app.source.end();
      }
    }
    expect(events.map((event) => event.event ?? event.data)).toEqual([
      payloads[0],
      "rejoin.live",
      ...payloads.slice(1),
      "rejoin.end",
    ]);
    expect(controlOf(events, "rejoin.live")).toEqual({ heartbeatMs: 15_000 });
  });

  it("sends only what comes after the cursor", async () => {
    const cursors = await answered();
    for (const [index, cursor] of cursors.entries()) {
      const events = await readEvents(await ask(`/s1?control=1&cursor=${cursor}`));
      expect(payloadsOf(events)).toEqual(payloads.slice(index + 1));
      expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
    }
  });

  it("believes Last-Event-ID before the URL, which a native EventSource repeats", async () => {
    const [first, second] = await answered();
    const response = await ask(`/s1?control=1&cursor=${first}`, {
      headers: { "last-event-id": second ?? "" },
    });
    expect(payloadsOf(await readEvents(response))).toEqual(payloads.slice(2));
  });

  it("gives a client without control events the payloads and the protocol's end marker", async () => {
    await answered();
    const events = await readEvents(await ask("/s1"));
    expect(events.map((event) => [event.event, event.data])).toEqual(
      [...payloads, "[DONE]"].map((data) => [undefined, data]),
    );
  });

  it("answers 204 to such a client at the end, or in an old generation, so that it does not loop", async () => {
    const cursors = await answered();
    expect((await ask("/s1", { headers: { "last-event-id": cursors.at(-1) ?? "" } })).status).toBe(204);
    expect((await ask("/s1", { headers: { "last-event-id": "000000001-old.3" } })).status).toBe(204);
  });

  it("resets a client whose cursor is of another generation, and starts from the start", async () => {
    await answered();
    const events = await readEvents(await ask("/s1?control=1&cursor=000000001-old.3"));
    expect(events[0]).toMatchObject({ event: "rejoin.reset", id: expect.stringMatching(/\.0$/) });
    expect(payloadsOf(events)).toEqual(payloads);
  });

  it("resets a client that claims to know more than an ended log holds", async () => {
    const cursors = await answered();
    const ahead = (cursors[0] ?? "").replace(/\.1$/, ".99");
    const events = await readEvents(await ask(`/s1?control=1&cursor=${ahead}`));
    expect(events[0]?.event).toBe("rejoin.reset");
    expect(payloadsOf(events)).toEqual(payloads);
  });

  it("tells a follower in the middle that the stream was deleted", async () => {
    await start();
    const response = await ask("/s1?control=1");
    const events = [];
    for await (const event of eventsOf(response)) {
      events.push(event);
      if (event.event === "rejoin.live") expect((await ask("/s1", { method: "DELETE" })).status).toBe(204);
    }
    expect(controlOf(events, "rejoin.end")).toMatchObject({ status: "missing", error: { code: "deleted" } });
    expect(app.source.signal()?.aborted).toBe(true);
    await expectError(await ask("/s1"), 404, "missing");
  });
});

describe("status, and a thread's stream", () => {
  it("tells status, cursor and protocol", async () => {
    const cursors = await answered();
    const response = await ask("/s1/status");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({ status: "done", cursor: cursors.at(-1), protocol: "test-text" });
  });

  it("finds the newest stream of a key", async () => {
    await expectError(await ask("/?thread=chat-1"), 404, "missing");
    await answered("s1");
    await start("s2");
    expect(await (await ask("/?thread=chat-1")).json()).toMatchObject({
      streamId: "s2",
      status: "streaming",
    });
  });

  it("refuses a key that is none", async () => {
    await expectError(await ask("/"), 400, "invalid-request");
    await expectError(await ask("/?thread="), 400, "invalid-request");
    await expectError(await ask(`/?thread=${"x".repeat(257)}`), 400, "invalid-request");
  });
});

describe("stopping", () => {
  it("ends the model's run and every follower, and keeps what was written", async () => {
    const response = await start();
    app.source.write(sseOf(payloads.slice(0, 1)));
    const events = [];
    for await (const event of eventsOf(response)) {
      events.push(event);
      if (payloadsOf(events).length === 1 && event.event === undefined) {
        expect(await (await ask("/s1/stop", { method: "POST" })).json()).toMatchObject({ status: "stopped" });
      }
    }
    expect(controlOf(events, "rejoin.end")).toEqual({ status: "stopped" });
    expect(app.source.signal()?.aborted).toBe(true);
    await vi.waitFor(() => expect(app.source.cancelled()).toBe(true));
    expect(app.finished).toEqual([
      { streamId: "s1", status: "stopped", message: { text: "Hel", status: "stopped" } },
    ]);
    expect(payloadsOf(await readEvents(await ask("/s1?control=1")))).toEqual(payloads.slice(0, 1));
  });

  it("may be said twice", async () => {
    await start();
    for (let time = 0; time < 2; time += 1) {
      expect(await (await ask("/s1/stop", { method: "POST" })).json()).toMatchObject({ status: "stopped" });
    }
  });

  it("leaves an ended stream as it ended, and knows no other", async () => {
    await answered();
    expect(await (await ask("/s1/stop", { method: "POST" })).json()).toMatchObject({ status: "done" });
    await expectError(await ask("/nothing/stop", { method: "POST" }), 404, "missing");
  });

  it("is not undone by a request that starts the same stream again", async () => {
    await start();
    await ask("/s1/stop", { method: "POST" });
    expect(controlOf(await readEvents(await start()), "rejoin.end")).toEqual({ status: "stopped" });
    expect(app.source.starts()).toBe(1);
  });
});

describe("a source that does not end as it should", () => {
  it("is source-incomplete when its protocol's end is missing", async () => {
    app.source.write(sseOf(payloads.slice(0, 2)));
    app.source.end();
    const events = await readEvents(await start());
    expect(payloadsOf(events)).toEqual(payloads.slice(0, 2));
    expect(controlOf(events, "rejoin.end")).toMatchObject({
      status: "error",
      error: { code: "source-incomplete" },
    });
  });

  it("is whole when the end marker is there instead", async () => {
    app.source.write(`${sseOf(payloads.slice(0, 2))}data: [DONE]\n\n`);
    app.source.end();
    const events = await readEvents(await start());
    expect(payloadsOf(events)).toEqual(payloads.slice(0, 2));
    expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
  });

  it.each([
    ["before its first event", 0],
    ["after some events", 1],
  ])("is an error with a text fit for users when it throws %s", async (_when, count) => {
    const response = await start();
    if (count > 0) app.source.write(sseOf(payloads.slice(0, count)));
    app.source.fail(new Error("secret: db-7.internal refused"));
    const text = await response.text();
    expect(text).not.toContain("secret");
    expect(text).toContain('"code":"source-failed"');
    await vi.waitFor(() => expect(app.finished).toHaveLength(1));
    expect(app.finished[0]).toMatchObject({ status: "error", error: { code: "source-failed" } });
    expect(app.errors).toContainEqual(expect.objectContaining({ message: "secret: db-7.internal refused" }));
  });

  it("is limit-exceeded when it grows too large, with all up to it readable", async () => {
    const large = textPayloads("x".repeat(1500), "y".repeat(1500), "z".repeat(1500));
    app.source.write(sseOf(large));
    const events = await readEvents(await start());
    expect(payloadsOf(events)).toEqual(large.slice(0, 2));
    expect(controlOf(events, "rejoin.end")).toMatchObject({
      status: "error",
      error: { code: "limit-exceeded" },
    });
    expect(app.source.signal()?.aborted).toBe(true);
  });
});

describe("bad requests", () => {
  it("are answered in JSON, and the process goes on", async () => {
    await answered();
    await expectError(await ask("/a%2Fb"), 400, "invalid-id");
    await expectError(await ask("/%ZZ"), 400, "invalid-id");
    await expectError(await ask("/%2E%2E%2Fs1"), 400, "invalid-id");
    await expectError(await ask("/nothing"), 404, "missing");
    await expectError(await ask("/s1?cursor=nonsense"), 400, "invalid-cursor");
    await expectError(await ask("/s1", { headers: { "last-event-id": "1" } }), 400, "invalid-cursor");
    await expectError(await ask("/s1/what"), 404, "missing");
    await expectError(await ask("/s1/stop/more"), 404, "missing");
    await expectError(await ask("/s1", { method: "PUT" }), 405, "method-not-allowed");
    await expectError(await ask("/s1/status", { method: "POST" }), 405, "method-not-allowed");
    await expectError(await ask("/s1/stop"), 405, "method-not-allowed");
    expect((await ask("/s1/stop")).headers.get("allow")).toBe("POST");
    expect((await ask("/s1/status")).status).toBe(200);
  });

  it("include a stream of bytes", async () => {
    app.authorize = () => true;
    await app.context.run("raw", () => streamOf(new Uint8Array(1)));
    await expectError(await ask("/raw"), 409, "not-events");
    await expectError(await ask("/raw/status"), 409, "not-events");
  });

  it("get 503 with Retry-After when the server is going away", async () => {
    await answered();
    await app.context.close();
    const response = await ask("/s1");
    expect(response.headers.get("retry-after")).toBe("1");
    await expectError(response, 503, "store-unavailable");
  });
});

describe("authorize", () => {
  const routes: readonly [string, () => Promise<Response>][] = [
    ["POST /api/chat", () => start("s1", { "x-user": "eve" })],
    ["GET /:id", () => ask("/s1", { headers: { "x-user": "eve" } })],
    ["GET /:id with control", () => ask("/s1?control=1", { headers: { "x-user": "eve" } })],
    ["GET /:id/status", () => ask("/s1/status", { headers: { "x-user": "eve" } })],
    ["POST /:id/stop", () => ask("/s1/stop", { method: "POST", headers: { "x-user": "eve" } })],
    ["DELETE /:id", () => ask("/s1", { method: "DELETE", headers: { "x-user": "eve" } })],
    ["GET /?thread=", () => ask("/?thread=chat-1", { headers: { "x-user": "eve" } })],
  ];

  it.each(routes)("lets another owner get nothing from %s", async (_route, request) => {
    await start();
    app.source.write(sseOf(payloads.slice(0, 1)));
    await expectError(await request(), 404, "missing");
    expect((await app.context.inspect("s1"))?.status).toBe("streaming");
    expect(app.source.starts()).toBe(1);
  });

  it.each(routes.slice(1))("lets nobody in through %s when it throws", async (_route, request) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    await start();
    app.authorize = () => {
      throw new Error("session store is down");
    };
    await expectError(await request(), 500, "internal");
    expect((await app.context.inspect("s1"))?.status).toBe("streaming");
    expect(logged).toHaveBeenCalled();
    logged.mockRestore();
  });

  it.each([
    [401, "unauthorized"],
    [403, "forbidden"],
  ] as const)("may answer %d, for streams that exist and for those that do not", async (status, code) => {
    await start();
    app.authorize = () => status;
    await expectError(await ask("/s1"), status, code);
    await expectError(await ask("/nothing"), status, code);
  });

  it("is required", () => {
    // @ts-expect-error: the types refuse it too.
    expect(() => createResumableStreamHandler({ context: app.context, basePath: "/s" })).toThrow(/authorize/);
  });

  it("is not needed to say whose a stream is: leaving out the owner fails", async () => {
    const request = new Request("http://localhost/", { headers: { "x-resumable-stream-id": "s9" } });
    // @ts-expect-error: the types refuse it too.
    const response = createResumableStreamResponse({
      request,
      context: app.context,
      protocol: textProtocol,
      source: app.source.make,
    });
    await expect(response).rejects.toThrow(/owner/);
  });
});

describe("closing for a deploy", () => {
  it("cuts followers without an end, lets producers finish, and ends the others as lost", async () => {
    const response = await start();
    app.source.write(sseOf(payloads.slice(0, 1)));
    const events = eventsOf(response);
    await events.next();
    const closed = app.context.close({ drainMs: 5_000 });
    app.source.write(sseOf(payloads.slice(1)));
    app.source.end();
    await closed;
    const rest = await Array.fromAsync(events);
    expect(rest.some((event) => event.event === "rejoin.end")).toBe(false);
    expect(app.finished).toMatchObject([{ status: "done", message: { text: "Hello" } }]);
  });

  it("ends what is still running when the time is over", async () => {
    await start();
    app.source.write(sseOf(payloads.slice(0, 1)));
    await app.context.close();
    expect(app.source.signal()?.aborted).toBe(true);
    expect(app.finished).toMatchObject([{ status: "error", error: { code: "producer-lost" } }]);
  });
});
