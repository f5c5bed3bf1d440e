/** Starting a stream where something is in the way: one run, for the right user, and a thread that knows its newest. */
import { onlineManager } from "@tanstack/react-query";
import { act } from "@testing-library/react";
import { useState, type ReactNode } from "react";
import { describe, expect, vi } from "vitest";
import { createStreamId, streamKeys, useStartStream, type StartStream } from "../../../src/index.ts";
import { isObject } from "../../../src/shared/json/json-value.ts";
import { Answer, shown } from "../../support/answer.tsx";
import { Chat, hooks, posts, send } from "../../support/chat.tsx";
import { pass, settle } from "../../support/fake-time.ts";
import { carryOn, type Carrier } from "../../support/network.ts";
import { comeBack } from "../../support/page-signals.ts";
import { CHAT_URL, ENDPOINT, it, type StreamApp } from "../../support/stream-app.tsx";

/** Refuses what starts a stream. */
const refuseStarts: Carrier = async (request, next) =>
  request.url === CHAT_URL ? new Response(null, { status: 400 }) : next();

/** What the cache has had for the thread, one after the other; `null` where there is no stream. */
function watchActive(app: StreamApp): () => unknown[] {
  const known: unknown[] = [];
  app.queryClient.getQueryCache().subscribe(({ query }) => {
    const { data } = query.state;
    if (query.queryKey.includes("active")) known.push(isObject(data) ? data["streamId"] : data);
  });
  return () => known.filter((value, index) => index === 0 || value !== known[index - 1]);
}

describe("a start", () => {
  it("is not repeated when its answer came another way meanwhile", async ({ app }) => {
    vi.spyOn(Math, "random").mockReturnValue(0.99);
    app.network.carry = async (request, next) => {
      const response = await next();
      if (request.url !== CHAT_URL) return response;
      await response.body?.cancel();
      return Response.error();
    };
    app.load(<Chat />);
    await pass();
    const id = send();
    await app.finishes("Hello");
    expect(hooks?.start).toMatchObject({ isPending: true, failureCount: 1 });
    // The session does not wait for its turn.
    comeBack();
    await pass(100);
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    await pass(1_000);
    expect(hooks?.start.data).toBe(id);
    expect(posts(app)).toBe(1);
  });

  it("is repeated when the server asks for it, and not before", async ({ app }) => {
    app.network.carry = async (_request, next) =>
      posts(app) === 1 ? new Response(null, { status: 503, headers: { "retry-after": "7" } }) : next();
    app.load(<Chat />);
    send();
    await settle();
    await pass(6_990);
    expect(posts(app)).toBe(1);
    await pass(30);
    expect(posts(app)).toBe(2);
  });

  it("asks for its body at every attempt", async ({ app }) => {
    const bodies: unknown[] = [];
    app.network.carry = async (request, next) => {
      if (request.url !== CHAT_URL) return next();
      bodies.push(await request.clone().json());
      return posts(app) === 1 ? new Response(null, { status: 503 }) : next();
    };
    let turn = 0;
    app.load(<Chat />);
    act(() => void hooks?.start.start({ body: async () => ({ turn: (turn += 1) }), thread: "chat" }));
    await pass(250);
    await app.finishes("Hello");
    expect(bodies).toEqual([{ turn: 1 }, { turn: 2 }]);
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });

  it("is not given up while the page is offline", async ({ app }) => {
    app.network.carry = async () => Response.error();
    onlineManager.setOnline(false);
    app.load(<Chat />);
    const id = send();
    await pass(120_000);
    expect(hooks?.start.isPending).toBe(true);
    app.network.carry = carryOn;
    act(() => onlineManager.setOnline(true));
    await pass(12_000);
    expect(hooks?.start.data).toBe(id);
    expect(app.source.starts()).toBe(1);
  });

  it("is not given up while the app's own wake says that it is offline", async ({ app }) => {
    let isOnline = false;
    app.network.carry = async () => Response.error();
    app.load(<Chat />, { wake: { isOnline: () => isOnline, subscribe: () => () => {} } });
    const id = send();
    await pass(120_000);
    expect(hooks?.start.isPending).toBe(true);
    app.network.carry = carryOn;
    isOnline = true;
    await pass(12_000);
    expect(hooks?.start.data).toBe(id);
  });

  it("is one request also where its component shows the stream before", async ({ app }) => {
    let ask: () => void = () => {};
    function Asker(): ReactNode {
      const [id, setId] = useState<string>();
      const { start } = useStartStream({ url: CHAT_URL });
      ask = () => {
        const minted = createStreamId();
        setId(minted);
        start({ id: minted, thread: "another" });
      };
      return <Answer id={id} />;
    }
    const fetched: string[] = [];
    app.load(<Asker />, {
      fetch: (input, init) => {
        fetched.push(init?.method ?? "GET");
        return app.fetch(input, init);
      },
    });
    act(() => ask());
    await pass();
    await app.finishes("Hello");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(fetched).toEqual(["POST"]);
  });

  it("of one user is sent with nobody else's headers, and is none of theirs", async ({ app }) => {
    app.network.carry = async (request, next) =>
      request.method === "POST" ? new Response(null, { status: 503 }) : next();
    const as = (user: string) => ({ scope: user, headers: { authorization: user } });
    const page = app.load(<Chat />, as("ada"));
    send();
    await settle();
    page.rerender(app.wrap(<Chat />, as("eve")));
    await pass(60_000);
    expect(app.queryClient.isMutating()).toBe(0);
    expect(hooks?.start.status).toBe("idle");
    const sent = app.network.sent.filter(({ method }) => method === "POST");
    expect(sent.map(({ headers }) => headers.get("authorization"))).toEqual(["ada"]);
  });

  it("tells TanStack's callbacks; its functions stay the same", async ({ app }) => {
    const told: unknown[] = [];
    const given: StartStream[] = [];
    function Watcher(): ReactNode {
      const start = useStartStream({
        url: CHAT_URL,
        meta: { from: "test" },
        onSuccess: (id, variables) => void told.push(id, variables.id),
        onError: (error, variables) => void told.push(error.message, variables.id),
      });
      given.push(start);
      return <p>{start.status}</p>;
    }
    app.load(<Watcher />);
    const mounted = given.at(-1);
    act(() => void mounted?.start({ id: "first" }));
    await pass();
    expect(told).toEqual(["first", "first"]);
    const mutationKey = streamKeys.start({ endpoint: ENDPOINT, scope: "" });
    expect(app.queryClient.getMutationCache().find({ mutationKey })?.meta).toEqual({ from: "test" });
    app.network.carry = refuseStarts;
    act(() => void mounted?.start({ id: "second" }));
    await pass();
    expect(told.slice(2)).toEqual([expect.stringContaining("400"), "second"]);
    expect(given.at(-1)?.status).toBe("error");
    for (const name of ["start", "mutate", "mutateAsync"] as const)
      expect(given.at(-1)?.[name]).toBe(mounted?.[name]);
  });
});

describe("a start that is refused", () => {
  it("gives the thread back to the stream before it", async ({ app }) => {
    await app.startElsewhere("elsewhere");
    await app.says("Hi");
    app.load(<Chat />);
    await pass();
    app.network.carry = refuseStarts;
    const told: unknown[] = [];
    act(() => hooks?.start.mutate({ body: {}, thread: "chat" }, { onError: (error) => told.push(error) }));
    await pass();
    expect(told).toHaveLength(1);
    expect(shown()).toMatchObject({ id: "elsewhere", text: "Hi", status: "streaming" });
  });

  it("has the thread asked for where that was cut short", async ({ app }) => {
    await app.startElsewhere("elsewhere");
    await app.says("Hi");
    app.network.hold();
    const known = watchActive(app);
    app.load(<Chat />);
    await pass();
    app.network.carry = refuseStarts;
    const id = send();
    await pass();
    expect(hooks?.start.isError).toBe(true);
    expect(shown()).toMatchObject({ text: "Hi", status: "streaming" });
    expect(known()).toEqual([undefined, id, "elsewhere"]);
  });

  it("leaves the thread to a newer start", async ({ app }) => {
    const refusal = Promise.withResolvers<void>();
    app.network.carry = async (request, next) => {
      if (request.headers.get("x-resumable-stream-id") !== "first") return next();
      await refusal.promise;
      return new Response(null, { status: 400 });
    };
    const known = watchActive(app);
    app.load(<Chat />);
    await pass();
    send("first");
    await pass();
    expect(shown().id).toBe("first");
    send("second");
    await pass();
    refusal.resolve();
    await app.finishes("Hello");
    expect(shown()).toMatchObject({ id: "second", text: "Hello", status: "done" });
    expect(app.queryClient.isMutating()).toBe(0);
    expect(known()).toEqual([undefined, null, "first", "second"]);
  });
});
