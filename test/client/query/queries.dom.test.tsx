/** Starting, stopping and finding streams, as TanStack users know it. */
import { act } from "@testing-library/react";
import { describe, expect } from "vitest";
import { shown } from "../../support/answer.tsx";
import { Chat, hooks, posts, send } from "../../support/chat.tsx";
import { pass, settle } from "../../support/fake-time.ts";
import { CHAT_URL, it } from "../../support/stream-app.tsx";

/** Whether the server is being asked for the newest answer. */
const isAsking = (): boolean | undefined => hooks?.active.isFetching;

describe("useStartStream", () => {
  it("knows the id at once, sends one request, and its response is the stream's connection", async ({
    app,
  }) => {
    app.load(<Chat />);
    await pass();
    expect(isAsking()).toBe(false);
    const release = app.network.hold();
    const id = send();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    await pass();
    expect(shown()).toMatchObject({ id, text: "", status: "connecting" });
    release();
    await pass();
    await app.finishes("Hello");
    expect(shown()).toMatchObject({ id, text: "Hello", status: "done" });
    expect(app.network.requests.filter((request) => !request.endsWith("/streams/"))).toEqual([
      "POST /api/chat",
    ]);
    expect(hooks?.start).toMatchObject({ data: id, isSuccess: true });
  });

  it("repeats the request with the same id when it was lost, and the model runs once", async ({ app }) => {
    const ids: (string | null)[] = [];
    app.network.carry = async (request, next) => {
      // The session asks for the stream too; it does not get through before the request is repeated.
      if (request.method === "GET") return ids.length < 2 ? Response.error() : next();
      ids.push(request.headers.get("x-resumable-stream-id"));
      // The first request arrives, and its answer does not.
      const response = await next();
      if (ids.length > 1) return response;
      await response.body?.cancel();
      return Response.error();
    };
    app.load(<Chat />);
    await pass();
    const id = send();
    await pass();
    await app.finishes("Hello");
    await pass(5_000);
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(hooks?.start.isSuccess).toBe(true);
    expect(ids).toEqual([id, id]);
    expect(app.source.starts()).toBe(1);
  });

  it("sends nothing again after a reload: it follows", async ({ app }) => {
    app.load(<Chat />);
    await pass();
    send();
    await pass();
    await app.says("Hel");
    app.leave();
    app.load(<Chat />);
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    await pass(60_000);
    expect(posts(app)).toBe(1);
    expect(app.source.starts()).toBe(1);
  });

  it("reports a refusal, which starts nothing", async ({ app }) => {
    app.network.carry = async (request, next) =>
      request.url === CHAT_URL
        ? Response.json({ error: { code: "invalid-request", message: "Say something." } }, { status: 400 })
        : next();
    app.load(<Chat />);
    await pass();
    send();
    await pass();
    expect(hooks?.start.error).toMatchObject({
      code: "invalid-request",
      status: 400,
      message: "Say something.",
    });
    // The thread's last stream is what it was before: none.
    expect(shown()).toMatchObject({ status: "idle" });
    await pass(60_000);
    expect(posts(app)).toBe(1);
  });
});

describe("useStopStream", () => {
  it("stops the stream wherever it is produced, and shows it at once", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Chat />);
    await pass();
    await app.says("Hel");
    const release = app.network.hold();
    act(() => hooks?.stop.mutate({ id: "s" }));
    await settle();
    expect(shown()).toMatchObject({ status: "streaming", isStopping: true });
    release();
    await pass();
    expect(shown()).toMatchObject({ text: "Hel", status: "stopped", isStopping: false });
    expect(hooks?.stop.isSuccess).toBe(true);
    expect(app.source.signal()?.aborted).toBe(true);
  });

  it("reports a refusal", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Chat />);
    await pass();
    const error = { code: "forbidden", message: "You may not stop this." };
    app.network.carry = async () => Response.json({ error }, { status: 403 });
    act(() => hooks?.stop.mutate({ id: "s" }));
    await pass();
    expect(hooks?.stop.error).toMatchObject(error);
    expect(shown()).toMatchObject({ status: "streaming", isStopping: false });
  });
});

describe("useActiveStream", () => {
  it("finds the stream that another tab started", async ({ app }) => {
    await app.startElsewhere("elsewhere");
    await app.says("Hi");
    app.load(<Chat />);
    await pass();
    expect(shown()).toMatchObject({ id: "elsewhere", text: "Hi", status: "streaming" });
  });

  it("knows that there is none", async ({ app }) => {
    app.load(<Chat />);
    expect(isAsking()).toBe(true);
    await pass();
    expect(isAsking()).toBe(false);
    expect(hooks?.active).toMatchObject({ data: null, isSuccess: true });
    expect(shown()).toMatchObject({ status: "idle" });
    expect(app.network.requests).toEqual(["GET /api/streams/"]);
  });

  it("asks after a reload whatever staleTime the app has, also where what this tab knows of has ended", async ({
    app,
  }) => {
    app.queryClient.setDefaultOptions({ queries: { staleTime: 60_000, retry: false } });
    app.load(<Chat />);
    await pass();
    send("known");
    await pass();
    await app.finishes("Hi");
    app.leave();
    await app.startElsewhere("newer");
    app.load(<Chat />);
    await pass();
    expect(shown()).toMatchObject({ id: "newer" });
  });

  it("shows the stream that this tab knows of while it asks", async ({ app }) => {
    app.load(<Chat />);
    await pass();
    send("known");
    await pass();
    await app.finishes("Hi");
    app.leave();
    const release = app.network.hold();
    app.load(<Chat />);
    expect(isAsking()).toBe(true);
    expect(shown()).toMatchObject({ id: "known", text: "Hi", status: "done" });
    release();
    await pass();
    expect(isAsking()).toBe(false);
    expect(shown()).toMatchObject({ id: "known", text: "Hi", status: "done" });
  });
});
