/** The hook, as its users see it: what it shows of a stream, and what it is told. */
import { act, render } from "@testing-library/react";
import { StrictMode, useState, type ReactNode } from "react";
import { describe, expect, vi } from "vitest";
import {
  ResumableStreamProvider,
  streamKeys,
  useResumableStream,
  type ResumableStream,
  type WakeSignal,
  type WakeSource,
} from "../../../src/index.ts";
import {
  assistantStream,
  type AssistantMessage,
} from "../../../src/shared/protocols/assistant-stream/index.ts";
import { Answer, press, shown } from "../../support/answer.tsx";
import { everyPartChunks, everyPartPayloads } from "../../support/every-part-answer.ts";
import { pass } from "../../support/fake-time.ts";
import { setOnline } from "../../support/page-signals.ts";
import { ENDPOINT, it, textOf } from "../../support/stream-app.tsx";

describe("useResumableStream", () => {
  it("shows the answer as it comes, over one request, and then that it is done", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    expect(shown()).toMatchObject({ text: "", status: "connecting" });
    await app.says("Hel");
    expect(shown()).toMatchObject({ text: "Hel", status: "streaming" });
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.network.requests).toEqual(["GET /api/streams/s"]);
  });

  it("shows what was there before as one, and says that it is a replay while that lasts", async ({ app }) => {
    await app.startElsewhere("s");
    await app.says("Hel");
    // Of the response comes what was stored, and for now nothing more.
    const rest = Promise.withResolvers<void>();
    app.network.carry = async (_request, next) => {
      const response = await next();
      const reader = response.body?.getReader();
      let isFirst = true;
      const body = new ReadableStream({
        async pull(controller) {
          const result = await reader?.read();
          const text = new TextDecoder().decode(result?.value);
          const live = isFirst ? text.indexOf("event: rejoin.live") : -1;
          const entries = live < 0 ? text : text.slice(0, text.lastIndexOf("id: ", live));
          isFirst = false;
          controller.enqueue(new TextEncoder().encode(entries));
          await rest.promise;
          controller.enqueue(new TextEncoder().encode(text.slice(entries.length)));
        },
      });
      return new Response(body, response);
    };
    app.load(<Answer id="s" />);
    await pass(250);
    expect(shown()).toMatchObject({ text: "Hel", status: "replaying", isReplaying: true });
    rest.resolve();
    await pass();
    expect(shown()).toMatchObject({ text: "Hel", status: "streaming", isReplaying: false });
  });

  it("is exact for every kind of part, and leaves the message in the query cache", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    app.source.write(...everyPartChunks);
    app.source.end();
    await pass(250);
    expect(shown().status).toBe("done");
    const whole = assistantStream.fold();
    for (const payload of everyPartPayloads) whole.apply(payload);
    whole.end({ status: "done" });
    expect(app.queryClient.getQueryData(streamKeys.message({ endpoint: ENDPOINT, scope: "" }, "s"))).toEqual({
      id: "s",
      end: { status: "done" },
      message: whole.view(),
    });
  });

  it("gives the cache its copy of a message that was finished before a reload", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.finishes("Hi");
    app.leave();
    app.load(<Answer id="s" />);
    const key = streamKeys.message({ endpoint: ENDPOINT, scope: "" }, "s");
    expect(app.queryClient.getQueryData(key)).toMatchObject({ id: "s", end: { status: "done" } });
  });

  it("reports a stream that is missing, and tries again when it is asked to", async ({ app }) => {
    app.load(<Answer id="s" />);
    await pass();
    const error = { code: "missing", message: "There is no such stream." };
    expect(shown()).toMatchObject({ status: "missing", error });
    await app.startElsewhere("s");
    press("Try again");
    expect(shown().status).toBe("connecting");
    await app.finishes("here");
    expect(shown()).toMatchObject({ text: "here", status: "done", error: null });
  });

  it("reports how a stream ended, with a text fit for users", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.source.fail(new Error("secret"));
    await pass();
    const error = { code: "source-failed", message: "The answer could not be completed." };
    expect(shown()).toMatchObject({ text: "Hel", status: "error", error });
  });

  it("needs a provider, and says so", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect(() => render(<Answer id="s" />)).toThrow(/ResumableStreamProvider/);
  });

  it("needs the protocol of its provider, and says so", ({ app }) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    function Other(): ReactNode {
      useResumableStream("s", { protocol: { ...assistantStream, version: 2 } });
      return null;
    }
    expect(() => app.load(<Other />)).toThrow("The provider has another protocol.");
  });

  it("works without a QueryClient", async ({ app }) => {
    const complaints = vi.spyOn(console, "error");
    await app.startElsewhere("s");
    const page = render(
      <StrictMode>
        <ResumableStreamProvider endpoint={ENDPOINT}>
          <Answer id="s" />
        </ResumableStreamProvider>
      </StrictMode>,
    );
    await app.finishes("Hi");
    expect(shown()).toMatchObject({ text: "Hi", status: "done" });
    expect(app.network.requests).toHaveLength(1);
    expect(complaints).not.toHaveBeenCalled();
    page.unmount();
  });
});

describe("the id", () => {
  it("may be unknown for now: nothing is asked", async ({ app }) => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id={undefined} />);
    await pass(60_000);
    expect(shown()).toMatchObject({ text: "", status: "idle" });
    press("Stop");
    press("Try again");
    await pass();
    expect(app.network.requests).toEqual([]);
    page.rerender(app.wrap(<Answer id="s" />));
    await app.says("Hi");
    expect(shown()).toMatchObject({ id: "s", text: "Hi", status: "streaming" });
  });

  it("that changes shows the new stream at once, and at no time something of the old one", async ({
    app,
  }) => {
    const frames: string[] = [];
    let choose: (id: string) => void = () => {};
    function Chooser(): ReactNode {
      const [id, setId] = useState("one");
      choose = setId;
      const stream = useResumableStream(id);
      frames.push(`${id}: ${stream.id} ${stream.status} ${textOf(stream.message)}`);
      return <Answer id={id} />;
    }
    await app.startElsewhere("one");
    app.load(<Chooser />);
    await app.finishes("first");
    await app.startElsewhere("two");
    await app.says("second");
    frames.length = 0;
    act(() => choose("two"));
    expect(frames[0]).toBe("two: two idle ");
    await pass();
    expect(shown()).toMatchObject({ text: "second", status: "streaming" });
    // Back to one that was read before.
    frames.push("…");
    act(() => choose("one"));
    expect(frames.slice(frames.indexOf("…") + 1)[0]).toBe("one: one done first");
    expect(frames.filter((frame) => /^(two: .*first|one: .*second)/.test(frame))).toEqual([]);
  });
});

describe("what may change on each render", () => {
  it("is the provider's headers: each attempt has those of the moment", async ({ app }) => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />, { headers: { authorization: "one" } });
    await app.says("Hel");
    page.rerender(app.wrap(<Answer id="s" />, { headers: () => ({ authorization: "two" }) }));
    await pass();
    expect(app.network.requests).toHaveLength(1);
    app.network.cut();
    await app.finishes("lo");
    expect(app.network.sent.map((request) => request.headers.get("authorization"))).toEqual(["one", "two"]);
  });

  it("is its credentials", async ({ app }) => {
    const used: unknown[] = [];
    const fetch: typeof globalThis.fetch = (input, init) => {
      used.push(init?.credentials);
      return app.fetch(input, init);
    };
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />, { fetch });
    await app.says("Hel");
    page.rerender(app.wrap(<Answer id="s" />, { fetch, credentials: "include" }));
    app.network.cut();
    await app.finishes("lo");
    expect(used).toEqual(["same-origin", "include"]);
  });

  it("is its fetch", async ({ app }) => {
    const used: string[] = [];
    const named =
      (name: string): typeof fetch =>
      (...request) => {
        used.push(name);
        return app.fetch(...request);
      };
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />, { fetch: named("one") });
    await app.says("Hel");
    page.rerender(app.wrap(<Answer id="s" />, { fetch: named("two") }));
    app.network.cut();
    await app.finishes("lo");
    expect(used).toEqual(["one", "two"]);
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });
});

describe("the provider's wake source", () => {
  it("is what tells whether a request has a chance, in place of the page", async ({ app }) => {
    const listeners = new Set<(signal: WakeSignal) => void>();
    let isOnline = false;
    const wake: WakeSource = {
      isOnline: () => isOnline,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const tell = (signal: WakeSignal): void => act(() => listeners.forEach((listener) => listener(signal)));
    await app.startElsewhere("s");
    app.load(<Answer id="s" />, { wake });
    setOnline(true);
    await pass();
    expect(shown().status).toBe("offline");
    expect(app.network.requests).toEqual([]);
    isOnline = true;
    tell("online");
    await app.says("Hel");
    expect(shown()).toMatchObject({ text: "Hel", status: "streaming" });
    tell("hide");
    await pass();
    expect(app.network.connections()).toBe(0);
    tell("visible");
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    app.leave();
    expect(listeners.size).toBe(0);
  });
});

describe("stop and retry", () => {
  it("are the same functions as long as the stream is the same, and stay good", async ({ app }) => {
    const given: ResumableStream<AssistantMessage>[] = [];
    function Collector({ id }: { readonly id: string }): ReactNode {
      given.push(useResumableStream(id));
      return null;
    }
    await app.startElsewhere("s");
    const page = app.load([<Collector key="collector" id="s" />, <Answer key="answer" id="s" />]);
    await app.says("Hel");
    const [first, last] = [given[0], given.at(-1)];
    expect(last).not.toBe(first);
    const mounted = given.length - 1;
    await app.says("lo");
    expect(given.at(-1)?.stop).toBe(given[mounted]?.stop);
    expect(given.at(-1)?.retry).toBe(given[mounted]?.retry);
    await act(async () => first?.stop());
    await pass();
    expect(shown()).toMatchObject({ text: "Hello", status: "stopped" });
    page.rerender(app.wrap([<Collector key="collector" id="other" />]));
    expect(given.at(-1)?.stop).not.toBe(given[mounted]?.stop);
  });

  it("need not be awaited: a refusal is in the state", async ({ app }) => {
    const unhandled = vi.fn<() => void>();
    process.on("unhandledRejection", unhandled);
    let stop: () => Promise<void> = async () => {};
    function Collector(): ReactNode {
      stop = useResumableStream("s").stop;
      return null;
    }
    await app.startElsewhere("s");
    app.load([<Collector key="collector" />, <Answer key="answer" id="s" />]);
    await app.says("Hel");
    const error = { code: "forbidden", message: "Not yours." };
    app.network.carry = async () => Response.json({ error }, { status: 403 });
    act(() => void stop());
    await pass();
    process.off("unhandledRejection", unhandled);
    expect(shown().error).toEqual(error);
    expect(unhandled).not.toHaveBeenCalled();
    await expect(stop()).rejects.toMatchObject({ code: "forbidden" });
  });
});
