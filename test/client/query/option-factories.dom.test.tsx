/** Options for TanStack's own hooks, and TanStack's options for ours. */
import { QueryClient, useMutation, useMutationState, useQuery } from "@tanstack/react-query";
import { act } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect } from "vitest";
import {
  activeStreamOptions,
  createStreamClient,
  finishedMessageOptions,
  startStreamOptions,
  stopStreamOptions,
  streamKeys,
  useActiveStream,
  useStreamClient,
} from "../../../src/index.ts";
import { assistantStream } from "../../../src/shared/protocols/assistant-stream/index.ts";
import { Answer, shown } from "../../support/answer.tsx";
import { Chat, hooks, posts, send } from "../../support/chat.tsx";
import { pass } from "../../support/fake-time.ts";
import { carryOn } from "../../support/network.ts";
import { CHAT_URL, ENDPOINT, it, textOf } from "../../support/stream-app.tsx";

describe("option factories", () => {
  it("are what TanStack's own hooks take", async ({ app }) => {
    let stop: ((variables: { id: string }) => void) | undefined;
    let start: ((variables: { id: string; thread: string }) => void) | undefined;
    let finished: string | undefined;
    let active: string | undefined;
    function Own(): ReactNode {
      const client = useStreamClient();
      const { data } = useQuery(activeStreamOptions(client, "chat"));
      const { data: message } = useQuery(finishedMessageOptions(client, data?.streamId ?? ""));
      stop = useMutation(stopStreamOptions(client)).mutate;
      start = useMutation(startStreamOptions(client, { url: CHAT_URL })).mutate;
      active = data?.status;
      finished = message && `${textOf(message.message)} (${message.end.status})`;
      return <Answer id={data?.streamId} />;
    }
    await app.startElsewhere("elsewhere");
    await app.says("Hi");
    app.load(<Own />);
    await pass();
    expect([shown().status, active, finished]).toEqual(["streaming", "streaming", undefined]);
    act(() => stop?.({ id: "elsewhere" }));
    await pass();
    expect([shown().status, active, finished]).toEqual(["stopped", "stopped", "Hi (stopped)"]);
    act(() => start?.({ id: "another", thread: "chat" }));
    await pass();
    expect(posts(app)).toBe(1);
  });

  it("do not have a refusal repeated", async ({ app }) => {
    app.network.carry = async () => new Response(null, { status: 403 });
    const streams = createStreamClient({ endpoint: ENDPOINT, protocol: assistantStream });
    const query = new QueryClient().fetchQuery(activeStreamOptions(streams, "chat"));
    await expect(query).rejects.toMatchObject({ status: 403 });
    await pass(60_000);
    expect(app.network.requests).toHaveLength(1);
  });
});

describe("keys", () => {
  const scope = { endpoint: ENDPOINT, scope: "" };

  it.for([
    ["of a thread", streamKeys.active(scope, "chat"), 1],
    ["of all that an endpoint has for a user", streamKeys.all(scope), 1],
    ["of another thread", streamKeys.active(scope, "another"), 0],
    ["of all that another user has", streamKeys.all({ ...scope, scope: "ada" }), 0],
  ] as const)("%s find the queries to invalidate", async ([, queryKey, asked], { app }) => {
    await app.startElsewhere("one");
    app.load(<Chat />);
    await app.finishes("first");
    await app.startElsewhere("two");
    const { length } = app.network.requests;
    await act(() => app.queryClient.invalidateQueries({ queryKey }));
    expect(
      app.network.requests.slice(length).filter((request) => request.endsWith("/streams/")),
    ).toHaveLength(asked);
    await pass();
    expect(hooks?.active.data?.streamId).toBe(asked === 1 ? "two" : "one");
  });

  it("find the mutations that are under way", async ({ app }) => {
    let counts: readonly number[] = [];
    function Busy(): ReactNode {
      const client = useStreamClient();
      const pending = (mutationKey: readonly unknown[]) =>
        ({ filters: { mutationKey, status: "pending" } }) as const;
      counts = [
        useMutationState(pending(streamKeys.start(client))).length,
        useMutationState(pending(streamKeys.stop(client))).length,
        useMutationState(pending(streamKeys.all(client))).length,
      ];
      return <Chat />;
    }
    app.load(<Busy />);
    await pass();
    const release = app.network.hold();
    const id = send();
    await pass();
    expect(counts).toEqual([1, 0, 1]);
    act(() => hooks?.stop.mutate({ id }));
    await pass();
    expect(counts).toEqual([1, 1, 2]);
    release();
    await pass(10_000);
    expect(counts).toEqual([0, 0, 0]);
  });
});

describe("useActiveStream", () => {
  it("keeps the stream that was just started, whatever the server says meanwhile", async ({ app }) => {
    app.load(<Chat />);
    await pass();
    const held = Promise.withResolvers<void>();
    app.network.carry = async (request, next) => {
      if (request.url === CHAT_URL) await held.promise;
      return next();
    };
    const id = send();
    await pass();
    // As when the window is looked at again. The server knows of no stream.
    void app.queryClient.refetchQueries();
    await pass();
    expect(hooks?.active).toMatchObject({ data: { streamId: id }, isFetching: false });
    // And after a reload in that moment.
    app.leave();
    app.load(<Chat />);
    await pass();
    expect(hooks?.active).toMatchObject({ data: { streamId: id }, isFetching: false });
    app.network.carry = carryOn;
    held.resolve();
    await pass(10_000);
    await app.finishes("Hello");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });

  it("says that the stream has ended when it has", async ({ app }) => {
    await app.startElsewhere("elsewhere");
    app.load(<Chat />);
    await app.says("Hi");
    expect(hooks?.active.data?.status).toBe("streaming");
    await app.finishes();
    expect(hooks?.active.data?.status).toBe("done");
  });

  it("takes TanStack's options", async ({ app }) => {
    let selected: string | undefined;
    function Selecting({ enabled }: { readonly enabled: boolean }): ReactNode {
      selected = useActiveStream("chat", { enabled, select: (active) => active?.streamId }).data;
      return null;
    }
    await app.startElsewhere("elsewhere");
    const page = app.load(<Selecting enabled={false} />);
    await pass();
    expect(app.network.requests).toEqual([]);
    page.rerender(app.wrap(<Selecting enabled />));
    await pass();
    expect(selected).toBe("elsewhere");
  });
});
