/** Starting, stopping and finding streams, as TanStack users know it. */
import { onlineManager, QueryClient, useMutation, useQuery } from "@tanstack/react-query";
import { act, cleanup, screen, waitFor } from "@testing-library/react";
import { useState, type ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  activeStreamOptions,
  createStreamClient,
  createStreamId,
  finishedMessageOptions,
  startStreamOptions,
  stopStreamOptions,
  streamKeys,
  useActiveStream,
  useResumableStream,
  useStartStream,
  useStopStream,
  useStreamClient,
  type StartStream,
} from "../../../src/index.ts";
import { isObject } from "../../../src/shared/json/json-value.ts";
import { assistantStream } from "../../../src/shared/protocols/assistant-stream/index.ts";
import {
  CHAT_URL,
  chunk,
  createStreamApp,
  ENDPOINT,
  textOf,
  type StreamApp,
} from "../../support/stream-app.tsx";

let app: StreamApp;

beforeEach(() => {
  app = createStreamApp();
  app.msw.listen({ onUnhandledFrame: "error" });
});

afterEach(async () => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
  onlineManager.setOnline(true);
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

/** Lets faked time pass, a little at a time: requests take real turns. */
async function passing(ms: number): Promise<void> {
  for (let step = 0; step < 20; step += 1) await act(() => vi.advanceTimersByTimeAsync(ms / 20));
}

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
      // The session asks for the stream, too; it does not get through before the request is repeated.
      if (request.url.includes("/api/streams/") && ids.length < 2) return Response.error();
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

  it("does not repeat a request whose answer came another way meanwhile", async () => {
    const statuses: string[] = [];
    function Watcher(): ReactNode {
      const active = useActiveStream("chat");
      statuses.push(useResumableStream(active.data?.streamId, { select: ({ status }) => status }));
      return <Chat />;
    }
    app.network = async (request, next) => {
      const response = await next();
      if (!request.url.endsWith("/api/chat")) return response;
      await response.body?.cancel();
      return Response.error();
    };
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    vi.spyOn(Math, "random").mockReturnValue(0.99);
    app.load(<Watcher />);
    const id = send();
    app.source.write(chunk.start, chunk.text("Hello"), chunk.finish);
    app.source.end();
    await passing(50);
    expect([start?.isPending, start?.failureCount]).toEqual([true, 1]);
    // The session does not wait for its turn.
    act(() => void window.dispatchEvent(new Event("pageshow")));
    await passing(100);
    expect([chat().textContent, chat().dataset["status"]]).toEqual(["Hello", "done"]);
    await passing(1_000);
    expect(start?.data).toBe(id);
    expect(app.requests.filter((request) => request === "POST /api/chat")).toHaveLength(1);
    expect(statuses.slice(statuses.indexOf("done")).filter((status) => status !== "done")).toEqual([]);
  });

  it("waits as long as the server asks for before it repeats a request", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const posts = (): number => app.requests.filter((request) => request === "POST /api/chat").length;
    app.network = async (_request, next) =>
      posts() === 1 ? new Response(null, { status: 503, headers: { "retry-after": "7" } }) : next();
    app.load(<Chat />);
    send();
    await act(() => vi.advanceTimersByTimeAsync(6_000));
    expect(posts()).toBe(1);
    await act(() => vi.advanceTimersByTimeAsync(2_000));
    expect(posts()).toBe(2);
  });

  it("does not give up while the page is offline", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    app.network = async () => Response.error();
    onlineManager.setOnline(false);
    app.load(<Chat />);
    const id = send();
    await act(() => vi.advanceTimersByTimeAsync(120_000));
    expect(start?.isPending).toBe(true);
    app.network = (_request, next) => next();
    act(() => onlineManager.setOnline(true));
    await act(() => vi.advanceTimersByTimeAsync(12_000));
    expect(start?.data).toBe(id);
    expect(app.source.starts()).toBe(1);
  });

  it("sends one request also where the component shows the stream before it is started", async () => {
    let ask: () => void = () => {};
    function Asker(): ReactNode {
      const [id, setId] = useState<string>();
      const { start: startNow } = useStartStream({ url: CHAT_URL });
      const { status, message } = useResumableStream(id);
      ask = () => {
        const minted = createStreamId();
        setId(minted);
        startNow({ id: minted, thread: "another" });
      };
      return (
        <p data-testid="chat" data-status={status}>
          {textOf(message)}
        </p>
      );
    }
    const fetched: string[] = [];
    const counting: typeof fetch = (input, init) => {
      fetched.push(init?.method ?? "GET");
      return fetch(input, init);
    };
    app.load(<Asker />, { fetch: counting });
    act(() => ask());
    app.source.write(chunk.start, chunk.text("Hello"), chunk.finish);
    app.source.end();
    await shows("Hello", "done");
    expect(fetched).toEqual(["POST"]);
  });

  it("sends nothing of one user with another one's headers, or for them", async () => {
    const sent: string[] = [];
    app.network = async (request, next) => {
      if (request.method !== "POST") return next();
      sent.push(request.headers.get("authorization") ?? "");
      return new Response(null, { status: 503 });
    };
    const as = (user: string) => ({ scope: user, headers: { authorization: user } });
    const page = app.load(<Chat />, as("ada"));
    send();
    await waitFor(() => expect(sent).toEqual(["ada"]));
    page.rerender(app.wrap(<Chat />, as("eve")));
    // The one of before may end as it likes; who sits here now has not started anything.
    await waitFor(() => expect(app.queryClient.isMutating()).toBe(0), { timeout: 10_000 });
    expect(start?.status).toBe("idle");
    expect(sent).toEqual(["ada"]);
  }, 15_000);

  it("keeps its functions over renders, and takes TanStack's options", async () => {
    const told: unknown[] = [];
    const functions = new Set<unknown>();
    function Watcher(): ReactNode {
      const mutation = useStartStream({
        url: CHAT_URL,
        meta: { from: "test" },
        onSuccess: (id, variables) => void told.push(id, variables.id),
        onError: (error, variables) => void told.push(error.message, variables.id),
      });
      for (const each of [mutation.start, mutation.mutate, mutation.mutateAsync]) functions.add(each);
      start = mutation;
      return <p data-testid="status">{mutation.status}</p>;
    }
    app.load(<Watcher />);
    const id = send();
    await waitFor(() => expect(screen.getByTestId("status").textContent).toBe("success"));
    expect(told).toEqual([id, id]);
    const key = streamKeys.start({ endpoint: ENDPOINT, scope: "" });
    expect(app.queryClient.getMutationCache().find({ mutationKey: key })?.meta).toEqual({ from: "test" });
    // StrictMode renders each component twice the first time.
    expect(functions.size).toBeLessThanOrEqual(6);
    const before = functions.size;
    app.network = async () => new Response(null, { status: 400 });
    const refused = send();
    await waitFor(() => expect(screen.getByTestId("status").textContent).toBe("error"));
    expect(told.slice(2)).toEqual([expect.stringContaining("400"), refused]);
    expect(functions.size).toBe(before);
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

/** What the cache has had for the thread, one after the other; `null` where there is no stream. */
function watchActive(): unknown[] {
  const known: unknown[] = [];
  app.queryClient.getQueryCache().subscribe(({ query }) => {
    const { data } = query.state;
    if (query.queryKey.includes("active")) known.push(isObject(data) ? data["streamId"] : data);
  });
  return known;
}

const changesOf = (values: readonly unknown[]): unknown[] =>
  values.filter((value, index) => index === 0 || value !== values[index - 1]);

describe("a start that is refused", () => {
  const refusing = (): void => {
    app.network = async (request, next) =>
      request.url.endsWith("/api/chat") ? new Response(null, { status: 400 }) : next();
  };

  it("gives the thread back to the stream before it", async () => {
    await app.startElsewhere("elsewhere");
    app.source.write(chunk.start, chunk.text("Hi"));
    app.load(<Chat />);
    await shows("Hi", "streaming");
    refusing();
    const told: unknown[] = [];
    act(() => start?.mutate({ body: {}, thread: "chat" }, { onError: (error) => told.push(error) }));
    await waitFor(() => expect(told).toHaveLength(1));
    await shows("Hi", "streaming");
    expect(chat().dataset["id"]).toBe("elsewhere");
  });

  it("has the thread asked for where that was cut short", async () => {
    await app.startElsewhere("elsewhere");
    app.source.write(chunk.start, chunk.text("Hi"));
    const { promise, resolve } = Promise.withResolvers<void>();
    let isHeld = true;
    app.network = async (request, next) => {
      if (request.url.endsWith("/api/chat")) return new Response(null, { status: 400 });
      if (request.url.includes("thread=") && isHeld) await promise;
      return next();
    };
    const known = watchActive();
    app.load(<Chat />);
    await waitFor(() => expect(app.requests).toContain("GET /api/streams/"));
    isHeld = false;
    const id = send();
    await waitFor(() => expect(start?.isError).toBe(true));
    await shows("Hi", "streaming");
    expect(changesOf(known)).toEqual([undefined, id, "elsewhere"]);
    resolve();
  });

  it("leaves the thread to a newer start", async () => {
    const refusal = Promise.withResolvers<void>();
    app.network = async (request, next) => {
      if (request.headers.get("x-resumable-stream-id") !== "first") return next();
      await refusal.promise;
      return new Response(null, { status: 400 });
    };
    const known = watchActive();
    app.load(<Chat />);
    await waitFor(() => expect(chat().dataset["found"]).toBe("false"));
    send("first");
    await waitFor(() => expect(chat().dataset["id"]).toBe("first"));
    send("second");
    await waitFor(() => expect(chat().dataset["id"]).toBe("second"));
    refusal.resolve();
    app.source.write(chunk.start, chunk.text("Hello"), chunk.finish);
    app.source.end();
    await shows("Hello", "done");
    await waitFor(() => expect(app.queryClient.isMutating()).toBe(0));
    expect(changesOf(known)).toEqual([undefined, null, "first", "second"]);
  });
});

describe("option factories", () => {
  it("are what TanStack's own hooks take", async () => {
    await app.startElsewhere("elsewhere");
    app.source.write(chunk.start, chunk.text("Hi"));
    let stopNow: ((variables: { id: string }) => void) | undefined;
    let startNow: ((variables: { id: string; thread: string }) => void) | undefined;
    function Own(): ReactNode {
      const client = useStreamClient();
      const { data: active } = useQuery(activeStreamOptions(client, "chat"));
      const { data: finished } = useQuery(finishedMessageOptions(client, active?.streamId ?? ""));
      stopNow = useMutation(stopStreamOptions(client)).mutate;
      startNow = useMutation(startStreamOptions(client, { url: CHAT_URL })).mutate;
      const { status } = useResumableStream(active?.streamId);
      return (
        <p data-testid="chat" data-status={status} data-active={active?.status}>
          {finished === undefined ? "" : `${textOf(finished.message)} (${finished.end.status})`}
        </p>
      );
    }
    app.load(<Own />);
    await shows("", "streaming");
    act(() => stopNow?.({ id: "elsewhere" }));
    await shows("Hi (stopped)", "stopped");
    expect(chat().dataset["active"]).toBe("stopped");
    act(() => startNow?.({ id: "another", thread: "chat" }));
    await waitFor(() => expect(app.requests).toContain("POST /api/chat"));
  });

  it("do not have a refusal repeated", async () => {
    app.network = async () => new Response(null, { status: 403 });
    const client = new QueryClient();
    const streams = createStreamClient({
      endpoint: ENDPOINT,
      protocol: assistantStream,
      checkpoints: app.checkpoints,
    });
    await expect(client.fetchQuery(activeStreamOptions(streams, "chat"))).rejects.toMatchObject({
      status: 403,
    });
    expect(app.requests).toHaveLength(1);
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

  it("keeps the stream that was just started, whatever the server says meanwhile", async () => {
    const held = Promise.withResolvers<void>();
    app.network = async (request, next) => {
      if (request.url.endsWith("/api/chat")) await held.promise;
      return next();
    };
    app.load(<Chat />);
    await waitFor(() => expect(chat().dataset["found"]).toBe("false"));
    const id = send();
    await waitFor(() => expect(app.requests).toContain("POST /api/chat"));
    // As when the window is looked at again. The server knows of no stream.
    await act(() => app.queryClient.refetchQueries());
    expect(chat().dataset["id"]).toBe(id);
    // And after a reload in that moment.
    cleanup();
    app.queryClient.clear();
    app.load(<Chat />);
    await waitFor(() => expect(chat().dataset["found"]).toBe("false"));
    expect(chat().dataset["id"]).toBe(id);
    held.resolve();
    app.source.write(chunk.start, chunk.text("Hello"), chunk.finish);
    app.source.end();
    await shows("Hello", "done");
  });

  it("says that the stream has ended when it has", async () => {
    await app.startElsewhere("elsewhere");
    app.source.write(chunk.start, chunk.text("Hi"));
    let active: string | undefined;
    function Status(): ReactNode {
      active = useActiveStream("chat").data?.status;
      return <Chat />;
    }
    app.load(<Status />);
    await shows("Hi", "streaming");
    expect(active).toBe("streaming");
    app.source.write(chunk.finish);
    app.source.end();
    await shows("Hi", "done");
    await waitFor(() => expect(active).toBe("done"));
  });

  it("takes TanStack's options", async () => {
    await app.startElsewhere("elsewhere");
    const seen: (string | undefined)[] = [];
    function Selecting({ enabled }: { enabled: boolean }): ReactNode {
      const { data } = useActiveStream("chat", { enabled, select: (active) => active?.streamId });
      seen.push(data);
      return null;
    }
    const page = app.load(<Selecting enabled={false} />);
    expect(app.requests).toEqual([]);
    page.rerender(app.wrap(<Selecting enabled />));
    await waitFor(() => expect(seen.at(-1)).toBe("elsewhere"));
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
