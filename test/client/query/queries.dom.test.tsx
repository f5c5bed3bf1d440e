/** Starting, stopping and finding streams, as TanStack users know it. */
import { act, cleanup, screen, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  useActiveStream,
  useResumableStream,
  useStartStream,
  useStopStream,
  type StartStream,
} from "../../../src/index.ts";
import { CHAT_URL, chunk, createStreamApp, textOf, type StreamApp } from "../../support/stream-app.tsx";

let app: StreamApp;

beforeEach(() => {
  app = createStreamApp();
  app.msw.listen({ onUnhandledFrame: "error" });
});

afterEach(async () => {
  cleanup();
  app.msw.close();
  await app.context.close();
});

let start: StartStream | undefined;
let stop: ReturnType<typeof useStopStream> | undefined;

function Chat(): ReactNode {
  start = useStartStream({ url: CHAT_URL });
  stop = useStopStream();
  const active = useActiveStream("chat");
  const { status, message } = useResumableStream(active.data?.streamId);
  return (
    <p
      data-testid="chat"
      data-status={status}
      data-id={active.data?.streamId}
      data-found={String(!active.isFetchedAfterMount)}
    >
      {textOf(message)}
    </p>
  );
}

const chat = (): HTMLElement => screen.getByTestId("chat");
const shows = (text: string, status: string): Promise<void> =>
  waitFor(() => {
    expect([chat().textContent, chat().dataset["status"]]).toEqual([text, status]);
  });

/** Presses Send. */
function send(id?: string): string {
  let sent = "";
  act(() => {
    sent = start?.start({ ...(id === undefined ? {} : { id }), body: { text: "Hi?" }, thread: "chat" }) ?? "";
  });
  return sent;
}

describe("useStartStream", () => {
  it("knows the id at once, sends one request, and its response is the stream's connection", async () => {
    app.load(<Chat />);
    await waitFor(() => expect(chat().dataset["found"]).toBe("false"));
    const id = send();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    await waitFor(() => expect(chat().dataset["id"]).toBe(id));
    app.source.write(chunk.start, chunk.text("Hello"), chunk.finish);
    app.source.end();
    await shows("Hello", "done");
    expect(app.requests.filter((request) => !request.endsWith("/streams/"))).toEqual(["POST /api/chat"]);
    await waitFor(() => expect(start?.data).toBe(id));
  });

  it("repeats the request with the same id when it was lost, and the model runs once", async () => {
    const ids: (string | null)[] = [];
    app.network = async (request, next) => {
      if (!request.url.endsWith("/api/chat")) return next();
      ids.push(request.headers.get("x-resumable-stream-id"));
      // The first request arrives, and its answer does not.
      const response = await next();
      if (ids.length > 1) return response;
      await response.body?.cancel();
      return Response.error();
    };
    app.load(<Chat />);
    const id = send();
    app.source.write(chunk.start, chunk.text("Hello"), chunk.finish);
    app.source.end();
    await shows("Hello", "done");
    await waitFor(() => expect(start?.isSuccess).toBe(true), { timeout: 5_000 });
    expect(ids).toEqual([id, id]);
    expect(app.source.starts()).toBe(1);
  });

  it("sends nothing again after a reload: it follows", async () => {
    const page = app.load(<Chat />);
    send();
    app.source.write(chunk.start, chunk.text("Hel"));
    await shows("Hel", "streaming");
    act(() => void window.dispatchEvent(new Event("pagehide")));
    page.unmount();
    app.queryClient.clear();
    app.load(<Chat />);
    app.source.write(chunk.text("lo"), chunk.finish);
    app.source.end();
    await shows("Hello", "done");
    expect(app.requests.filter((request) => request === "POST /api/chat")).toHaveLength(1);
    expect(app.source.starts()).toBe(1);
  });

  it("reports a refusal, which starts nothing", async () => {
    app.network = async (request, next) =>
      request.url.endsWith("/api/chat")
        ? Response.json({ error: { code: "invalid-request", message: "Say something." } }, { status: 400 })
        : next();
    app.load(<Chat />);
    send();
    await waitFor(() => expect(start?.isError).toBe(true));
    expect(start?.error).toMatchObject({ code: "invalid-request", status: 400, message: "Say something." });
    // The thread's last stream is what it was before: none.
    await waitFor(() => expect(chat().dataset["id"]).toBeUndefined());
    expect(app.requests.filter((request) => request === "POST /api/chat")).toHaveLength(1);
  });
});

describe("useStopStream", () => {
  it("stops the stream wherever it is produced", async () => {
    app.load(<Chat />);
    const id = send();
    app.source.write(chunk.start, chunk.text("Hel"));
    await shows("Hel", "streaming");
    await act(async () => stop?.mutateAsync({ id }));
    await shows("Hel", "stopped");
    expect(app.source.signal()?.aborted).toBe(true);
  });
});

describe("useActiveStream", () => {
  it("finds the stream that another tab started", async () => {
    await app.startElsewhere("elsewhere");
    app.source.write(chunk.start, chunk.text("Hi"));
    app.load(<Chat />);
    await shows("Hi", "streaming");
    expect(chat().dataset["id"]).toBe("elsewhere");
  });

  it("knows that there is none", async () => {
    app.load(<Chat />);
    await waitFor(() => expect(app.requests).toContain("GET /api/streams/"));
    await waitFor(() => expect(chat().dataset["found"]).toBe("false"));
    expect(chat().dataset["id"]).toBeUndefined();
  });

  it("shows the stream that this tab knows of while it asks", async () => {
    const page = app.load(<Chat />);
    const id = send("known");
    app.source.write(chunk.start, chunk.text("Hi"), chunk.finish);
    app.source.end();
    await shows("Hi", "done");
    page.unmount();
    app.queryClient.clear();
    const held = Promise.withResolvers<void>();
    app.network = async (_request, next) => {
      await held.promise;
      return next();
    };
    app.load(<Chat />);
    expect(chat().dataset["id"]).toBe(id);
    expect(chat().textContent).toBe("Hi");
    held.resolve();
    await waitFor(() => expect(chat().dataset["found"]).toBe("false"));
  });
});
