/** The hook, as its users see it. MSW answers; StrictMode is on. */
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import { focusManager, onlineManager } from "@tanstack/react-query";
import { Profiler, useState, type ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { hydrateRoot } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  clearCheckpoints,
  ResumableStreamProvider,
  sessionStorageCheckpoints,
  streamKeys,
  useResumableStream,
  type ResumableStream,
} from "../../../src/index.ts";
import type { AssistantMessage } from "../../../src/shared/protocols/assistant-stream/index.ts";
import { nextTask } from "../../../src/client/next-task.ts";
import { everyPartChunks } from "../../support/every-part-answer.ts";
import { chunk, createStreamApp, ENDPOINT, textOf, type StreamApp } from "../../support/stream-app.tsx";

let app: StreamApp;

beforeEach(() => {
  app = createStreamApp();
  app.msw.listen({ onUnhandledFrame: "error" });
});

afterEach(async () => {
  cleanup();
  app.msw.close();
  await app.context.close();
  onlineManager.setOnline(true);
  sessionStorage.clear();
  vi.restoreAllMocks();
});

let seen: ResumableStream<AssistantMessage> | undefined;

function Answer({ id, name = "answer" }: { id: string | undefined; name?: string }): ReactNode {
  const stream = useResumableStream(id);
  seen = stream;
  return (
    <p data-testid={name} data-status={stream.status} data-replaying={stream.isReplaying}>
      {textOf(stream.message)}
    </p>
  );
}

const answer = (name = "answer"): HTMLElement => screen.getByTestId(name);
const shows = (text: string, status?: string): Promise<void> =>
  waitFor(() => {
    expect(answer().textContent).toBe(text);
    if (status !== undefined) expect(answer().dataset["status"]).toBe(status);
  });

describe("useResumableStream", () => {
  it("shows the answer as it comes, over one request, and then that it is done", async () => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("Hel"));
    await shows("Hel", "streaming");
    app.source.write(chunk.text("lo"), chunk.finish);
    app.source.end();
    await shows("Hello", "done");
    expect(app.requests).toEqual(["GET /api/streams/s"]);
  });

  it("goes on after the network broke, with nothing twice and nothing lost", async () => {
    const fail = Promise.withResolvers<never>();
    let cuts = 0;
    app.network = async (_request, next) => {
      const response = await next();
      if (cuts > 0 || response.body === null) return response;
      cuts += 1;
      const reader = response.body.getReader();
      const body = new ReadableStream({
        async pull(controller) {
          try {
            const result = await Promise.race([reader.read(), fail.promise]);
            if (result.done) controller.close();
            else controller.enqueue(result.value);
          } catch (error) {
            controller.error(error);
            await reader.cancel();
          }
        },
      });
      return new Response(body, response);
    };
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("Hel"));
    await shows("Hel", "streaming");
    fail.reject(new TypeError("network error"));
    app.source.write(chunk.text("lo"), chunk.finish);
    app.source.end();
    await shows("Hello", "done");
    expect(app.requests).toHaveLength(2);
  });

  it("paints what was read before a reload while the network answers nothing", async () => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("Hel"));
    await shows("Hel", "streaming");
    act(() => void window.dispatchEvent(new Event("pagehide")));
    page.unmount();
    const held = Promise.withResolvers<void>();
    app.network = async (_request, next) => {
      await held.promise;
      return next();
    };
    const painted: string[] = [];
    app.load(
      <Profiler id="first" onRender={() => painted.push(seen?.status ?? "")}>
        <Answer id="s" />
      </Profiler>,
    );
    expect(answer().textContent).toBe("Hel");
    held.resolve();
    app.source.write(chunk.text("lo"), chunk.finish);
    app.source.end();
    await shows("Hello", "done");
  });

  it("is exact for every kind of part", async () => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    app.source.write(...everyPartChunks);
    app.source.end();
    await waitFor(() => expect(answer().dataset["status"]).toBe("done"));
    const saved = app.queryClient.getQueryData(streamKeys.message({ endpoint: ENDPOINT, scope: "" }, "s"));
    expect(saved).toMatchObject({ id: "s", end: { status: "done" } });
    expect(seen?.message).toMatchObject({ parts: { length: 9 }, status: { type: "complete" } });
  });

  it("shares one session among all components that ask for a stream", async () => {
    await app.startElsewhere("s");
    app.load(
      <>
        <Answer id="s" />
        <Answer id="s" name="other" />
      </>,
    );
    app.source.write(chunk.start, chunk.text("Hi"), chunk.finish);
    app.source.end();
    await shows("Hi", "done");
    expect(answer("other").textContent).toBe("Hi");
    expect(app.requests).toHaveLength(1);
  });

  it("keeps the connection while it is mounted again soon after", async () => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("Hi"));
    await shows("Hi", "streaming");
    page.rerender(app.wrap(null));
    page.rerender(app.wrap(<Answer id="s" />));
    expect(answer().textContent).toBe("Hi");
    app.source.write(chunk.text("!"), chunk.finish);
    app.source.end();
    await shows("Hi!", "done");
    expect(app.requests).toHaveLength(1);
  });

  it("waits while the id is not known, and shows another stream at once when it changes", async () => {
    await app.startElsewhere("one");
    app.source.write(chunk.start, chunk.text("first"), chunk.finish);
    app.source.end();
    let choose: (id: string) => void = () => {};
    const frames: string[] = [];
    function Chooser(): ReactNode {
      const [id, setId] = useState<string>();
      choose = setId;
      const { status, message } = useResumableStream(id);
      frames.push(`${id}:${textOf(message)}`);
      return (
        <p data-testid="answer" data-status={status}>
          {textOf(message)}
        </p>
      );
    }
    app.load(<Chooser />);
    expect(answer().dataset["status"]).toBe("idle");
    expect(app.requests).toEqual([]);
    act(() => choose("one"));
    await shows("first", "done");
    act(() => choose("two"));
    expect(frames.filter((frame) => frame === "two:first")).toEqual([]);
    await waitFor(() => expect(answer().dataset["status"]).toBe("missing"));
  });

  it("renders a selecting component only when its selection changes, whatever the selector's identity", async () => {
    await app.startElsewhere("s");
    const renders: unknown[] = [];
    function Count(): ReactNode {
      const count = useResumableStream("s", { select: (state) => state.message?.parts.length ?? 0 });
      renders.push(count);
      return <p data-testid="count">{count}</p>;
    }
    app.load(
      <>
        <Answer id="s" />
        <Count />
      </>,
    );
    app.source.write(chunk.start, chunk.text("a"));
    await shows("a", "streaming");
    const before = renders.length;
    for (const text of ["b", "c", "d"]) {
      app.source.write(chunk.text(text));
      await waitFor(() => expect(answer().textContent).toContain(text));
    }
    expect(renders).toHaveLength(before);
    expect(screen.getByTestId("count").textContent).toBe("1");
  });

  it("keeps a selection that is equal to the one before", async () => {
    await app.startElsewhere("s");
    const selections = new Set<unknown>();
    function Types(): ReactNode {
      const types = useResumableStream("s", {
        select: (state) => state.message?.parts.map((part) => part.type) ?? [],
        isEqual: (a, b) => a.join() === b.join(),
      });
      selections.add(types);
      return null;
    }
    app.load(
      <>
        <Answer id="s" />
        <Types />
      </>,
    );
    app.source.write(chunk.start, chunk.text("a"));
    await shows("a");
    const before = selections.size;
    app.source.write(chunk.text("b"));
    await shows("ab");
    expect(selections.size).toBe(before);
  });

  it("commits a replay of 10,000 events at most three times, and never shrinks the text", async () => {
    await app.startElsewhere("s");
    app.source.write(chunk.start, ...Array.from({ length: 9_998 }, () => chunk.text("x")), chunk.finish);
    app.source.end();
    await waitFor(async () => expect(await app.context.status("s")).toBe("done"));
    const lengths: number[] = [];
    function Length(): ReactNode {
      const length = useResumableStream("s", { select: (state) => textOf(state.message).length });
      lengths.push(length);
      return null;
    }
    let commits = 0;
    app.load(
      <Profiler id="replay" onRender={() => (commits += 1)}>
        <Answer id="s" />
        <Length />
      </Profiler>,
    );
    await shows("x".repeat(9_998), "done");
    // The first is the page's own, before anything was asked.
    expect(commits - 1).toBeLessThanOrEqual(3);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  });

  it("stops the stream on the server, and keeps what was written", async () => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("Hel"));
    await shows("Hel", "streaming");
    await act(() => seen?.stop());
    await shows("Hel", "stopped");
    expect(app.source.signal()?.aborted).toBe(true);
    expect(app.requests).toContain("POST /api/streams/s/stop");
  });

  it("need not be awaited when it stops a stream, and says when the server refuses", async () => {
    const unhandled = vi.fn<() => void>();
    process.on("unhandledRejection", unhandled);
    app.network = async (request, next) =>
      request.url.endsWith("/stop")
        ? Response.json({ error: { code: "forbidden", message: "Not yours." } }, { status: 403 })
        : next();
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("Hel"));
    await shows("Hel", "streaming");
    act(() => void seen?.stop());
    await waitFor(() => expect(seen?.error).toEqual({ code: "forbidden", message: "Not yours." }));
    await nextTask();
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    await expect(seen?.stop()).rejects.toMatchObject({ code: "forbidden" });
  });

  it("gives the same functions as long as the stream is the same", async () => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("a"));
    await shows("a", "streaming");
    const { stop, retry } = seen ?? {};
    app.source.write(chunk.text("b"));
    await shows("ab", "streaming");
    expect([seen?.stop, seen?.retry]).toEqual([stop, retry]);
    expect(seen?.stop).toBe(stop);
    page.rerender(app.wrap(<Answer id="other" />));
    expect(seen?.stop).not.toBe(stop);
  });

  it("gives the cache its copy of a message that was finished before a reload", async () => {
    await app.startElsewhere("s");
    app.source.write(chunk.start, chunk.text("Hi"), chunk.finish);
    app.source.end();
    const page = app.load(<Answer id="s" />);
    await shows("Hi", "done");
    page.unmount();
    app.queryClient.clear();
    app.load(<Answer id="s" />);
    const key = streamKeys.message({ endpoint: ENDPOINT, scope: "" }, "s");
    expect(app.queryClient.getQueryData(key)).toMatchObject({ id: "s", end: { status: "done" } });
  });

  it("stores what it knows when TanStack's manager says that the app is not looked at", async () => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("Hi"));
    await shows("Hi", "streaming");
    const set = vi.spyOn(app.checkpoints, "set");
    act(() => focusManager.setFocused(false));
    expect(set).toHaveBeenCalledOnce();
    act(() => focusManager.setFocused(undefined));
  });

  it("says that it is offline by TanStack's manager, and goes on when it is not", async () => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("Hel"));
    await shows("Hel", "streaming");
    act(() => onlineManager.setOnline(false));
    await shows("Hel", "offline");
    app.source.write(chunk.text("lo"), chunk.finish);
    app.source.end();
    act(() => onlineManager.setOnline(true));
    await shows("Hello", "done");
  });

  it("reports a stream that is missing, and tries again when it is asked to", async () => {
    app.load(<Answer id="s" />);
    await waitFor(() => expect(answer().dataset["status"]).toBe("missing"));
    expect(seen?.error).toEqual({ code: "missing", message: "There is no such stream." });
    await app.startElsewhere("s");
    app.source.write(chunk.start, chunk.text("here"), chunk.finish);
    app.source.end();
    act(() => seen?.retry());
    await shows("here", "done");
  });

  it("reports how a stream ended, with a text fit for users", async () => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    app.source.write(chunk.start, chunk.text("Hel"));
    await shows("Hel", "streaming");
    app.source.fail(new Error("secret"));
    await shows("Hel", "error");
    expect(seen?.error).toEqual({ code: "source-failed", message: "The answer could not be completed." });
    expect(seen?.message?.status).toMatchObject({ type: "incomplete", reason: "error" });
  });

  it("calls onEvent once for each event, over a reload too", async () => {
    const calls: string[] = [];
    function Listener(): ReactNode {
      useResumableStream("s", {
        onEvent: (payload, { replayed }) => calls.push(`${JSON.parse(payload).type} ${replayed}`),
      });
      return <Answer id="s" />;
    }
    await app.startElsewhere("s");
    app.source.write(chunk.start);
    const page = app.load(<Listener />);
    await waitFor(() => expect(calls).toEqual(["part-start true"]));
    app.source.write(chunk.text("Hi"));
    await shows("Hi", "streaming");
    page.unmount();
    app.load(<Listener />);
    app.source.write(chunk.finish);
    app.source.end();
    await shows("Hi", "done");
    expect(calls).toEqual(["part-start true", "text-delta false", expect.stringMatching(/^message-finish/)]);
  });

  it("works where storage is blocked, or full", async () => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
    });
    vi.spyOn(Storage.prototype, "getItem").mockImplementation(() => {
      throw new DOMException("Blocked.", "SecurityError");
    });
    await app.startElsewhere("s");
    app.source.write(chunk.start, chunk.text("Hi"), chunk.finish);
    app.source.end();
    app.load(<Answer id="s" />, { checkpoints: sessionStorageCheckpoints() });
    await shows("Hi", "done");
  });

  it("shows one user nothing of what another one read", async () => {
    await app.startElsewhere("s");
    app.source.write(chunk.start, chunk.text("Ada's"), chunk.finish);
    app.source.end();
    app.load(<Answer id="s" />, { scope: "ada" }).unmount();
    const ada = app.load(<Answer id="s" />, { scope: "ada" });
    await shows("Ada's", "done");
    ada.unmount();
    app.network = async () => Response.json({ error: { code: "missing", message: "no" } }, { status: 404 });
    app.load(<Answer id="s" />, { scope: "eve" });
    expect(answer().textContent).toBe("");
    await waitFor(() => expect(answer().dataset["status"]).toBe("missing"));
    expect(answer().textContent).toBe("");
  });

  it("stores nothing of one user when another one sits there, in a provider of their own or not", async () => {
    const stored = (): string[] => Object.keys(sessionStorage).filter((key) => key.includes("ada"));
    await app.startElsewhere("s");
    app.source.write(chunk.start, chunk.text("Ada's"));
    const hide = (): void => act(() => void window.dispatchEvent(new Event("pagehide")));

    const ada = app.load(<Answer id="s" />, { scope: "ada", checkpoints: undefined });
    await shows("Ada's", "streaming");
    hide();
    expect(stored()).toHaveLength(1);
    // No stream is shown, so nobody but the provider knows of the change.
    ada.rerender(app.wrap(null, { scope: "eve", checkpoints: undefined }));
    expect(stored()).toEqual([]);
    hide();
    expect(stored()).toEqual([]);
    ada.unmount();

    const again = app.load(<Answer id="s" />, { scope: "ada", checkpoints: undefined });
    await shows("Ada's", "streaming");
    again.unmount();
    app.load(<Answer id="other" />, { scope: "eve", checkpoints: undefined });
    // The session of a page that was left just now is still open.
    hide();
    expect(stored()).toEqual([]);
  });

  it("stores nothing any more when the user signs out", async () => {
    await app.startElsewhere("s");
    app.source.write(chunk.start, chunk.text("Hel"));
    const page = app.load(<Answer id="s" />, { checkpoints: undefined });
    await shows("Hel", "streaming");
    act(() => void window.dispatchEvent(new Event("pagehide")));
    expect(sessionStorage).toHaveLength(1);
    void clearCheckpoints();
    expect(sessionStorage).toHaveLength(0);
    act(() => void window.dispatchEvent(new Event("pageshow")));
    app.source.write(chunk.text("lo"));
    await shows("Hello", "streaming");
    act(() => void window.dispatchEvent(new Event("pagehide")));
    page.unmount();
    expect(sessionStorage).toHaveLength(0);
  });

  it("forgets also what storage would not take when the user signs out", async () => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
    });
    await app.startElsewhere("s");
    app.source.write(chunk.start, chunk.text("Hi"), chunk.finish);
    app.source.end();
    const page = app.load(<Answer id="s" />, { checkpoints: undefined });
    await shows("Hi", "done");
    page.unmount();
    void clearCheckpoints();
    app.network = () => new Promise(() => {});
    app.load(<Answer id="s" />, { checkpoints: undefined });
    expect(answer().textContent).toBe("");
  });

  it("needs a provider, and says so", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect(() => render(<Answer id="s" />)).toThrow(/ResumableStreamProvider/);
  });

  it("works without a QueryClient", async () => {
    await app.startElsewhere("s");
    app.source.write(chunk.start, chunk.text("Hi"), chunk.finish);
    app.source.end();
    render(
      <ResumableStreamProvider endpoint={ENDPOINT}>
        <Answer id="s" />
      </ResumableStreamProvider>,
    );
    await shows("Hi", "done");
  });

  it("hydrates what the server rendered without a mismatch, and then shows its checkpoint", async () => {
    await app.startElsewhere("s");
    app.source.write(chunk.start, chunk.text("Hi"), chunk.finish);
    app.source.end();
    const page = app.load(<Answer id="s" />);
    await shows("Hi", "done");
    page.unmount();
    const html = renderToString(
      app.wrap(<Answer id="s" />, {
        checkpoints: sessionStorageCheckpoints({
          storage: () => {
            throw new Error("no storage here");
          },
        }),
      }),
    );
    const root = document.createElement("div");
    root.innerHTML = html;
    document.body.append(root);
    expect(answer().dataset["status"]).toBe("idle");
    const problems = vi.fn();
    const hydrated = await act(async () =>
      hydrateRoot(root, app.wrap(<Answer id="s" />), { onRecoverableError: problems }),
    );
    await shows("Hi", "done");
    expect(problems).not.toHaveBeenCalled();
    act(() => hydrated.unmount());
    root.remove();
  });
});
