/** The types of hooks: a message's type follows from the protocol. Checked, never run. */
import { useMutation, useQuery, type QueryClient } from "@tanstack/react-query";
import { createElement, type ReactElement } from "react";
import { expectTypeOf } from "vitest";
import {
  activeStreamOptions,
  finishedMessageOptions,
  ResumableStreamProvider,
  startStreamOptions,
  stopStreamOptions,
  streamKeys,
  useActiveStream,
  useResumableStream,
  useStartStream,
  useStopStream,
  useStreamClient,
  type ActiveStream,
  type ClientStatus,
  type FinishedStream,
  type PublicError,
  type ResumableStream,
} from "../../src/index.ts";
import type { AssistantMessage } from "../../src/shared/protocols/assistant-stream/index.ts";
import { textProtocol, type TextMessage } from "../support/text-protocol.ts";

/** What `useResumableStream` returns. */
export function useStreamTypes(id: string | undefined): void {
  const stream = useResumableStream(id);
  expectTypeOf(stream.message).toEqualTypeOf<AssistantMessage | undefined>();
  expectTypeOf(stream.id).toEqualTypeOf<string | undefined>();
  expectTypeOf(stream.status).toEqualTypeOf<ClientStatus>();
  expectTypeOf(stream.error).toEqualTypeOf<PublicError | null>();
  expectTypeOf(stream.nextRetryAt).toEqualTypeOf<number | null>();
  expectTypeOf(stream.stop).toEqualTypeOf<() => Promise<void>>();
  expectTypeOf(stream.retry).toEqualTypeOf<() => void>();

  const ofProtocol = useResumableStream(id, { protocol: textProtocol, onEvent: () => {} });
  expectTypeOf(ofProtocol.message).toEqualTypeOf<TextMessage | undefined>();
  const named = useResumableStream<TextMessage>(id);
  expectTypeOf(named.message).toEqualTypeOf<TextMessage | undefined>();

  // @ts-expect-error -- an id, or not yet
  useResumableStream(null);
  // @ts-expect-error -- there is no such option
  useResumableStream(id, { protokol: textProtocol });
}

/** What it returns is not for the component to change. */
export function setStatus(stream: ResumableStream<TextMessage>): void {
  // @ts-expect-error -- see above
  stream.status = "done";
}

/** What a selector is given, and what comes of it. */
export function useSelectTypes(id: string): void {
  const count = useResumableStream(id, { select: (state) => state.message?.parts.length });
  expectTypeOf(count).toEqualTypeOf<number | undefined>();
  const text = useResumableStream(id, {
    protocol: textProtocol,
    select: ({ message }) => message?.text ?? "",
  });
  expectTypeOf(text).toEqualTypeOf<string>();
  const kinds = useResumableStream(id, {
    select: ({ message }) => message?.parts.map(({ type }) => type) ?? [],
    isEqual: (a, b) => a.join() === b.join(),
  });
  expectTypeOf(kinds).items.toExtend<AssistantMessage["parts"][number]["type"]>();

  // @ts-expect-error -- a selection has no stop
  useResumableStream(id, { select: (state) => state.status }).stop();
  // @ts-expect-error -- the state has no such field
  useResumableStream(id, { select: (state) => state.messages });
  // @ts-expect-error -- nor has its message, which is the protocol's
  useResumableStream(id, { protocol: textProtocol, select: (state) => state.message?.parts });
  // @ts-expect-error -- what is compared is what was selected
  useResumableStream(id, { select: (state) => state.attempt, isEqual: (a: string, b: string) => a === b });
  // @ts-expect-error -- nothing is compared where nothing is selected
  useResumableStream(id, { isEqual: Object.is });
}

/** What the provider is told. */
export function providerTypes(): ReactElement[] {
  return [
    createElement(ResumableStreamProvider, { endpoint: "/api/streams" }),
    createElement(ResumableStreamProvider<TextMessage>, { endpoint: "/api/streams", protocol: textProtocol }),
    createElement(ResumableStreamProvider, {
      endpoint: "/api/streams",
      scope: "ada",
      headers: async () => ({ authorization: "…" }),
      fetch: globalThis.fetch,
      credentials: "include",
    }),
    // @ts-expect-error -- an endpoint is needed
    createElement(ResumableStreamProvider, {}),
    // @ts-expect-error -- a protocol is a value, not its name
    createElement(ResumableStreamProvider, { endpoint: "/api/streams", protocol: "text" }),
    // @ts-expect-error -- headers are those of fetch
    createElement(ResumableStreamProvider, { endpoint: "/api/streams", headers: 7 }),
  ];
}

/** What the mutations take and give. */
export function useMutationTypes(): void {
  const start = useStartStream({ url: "/api/chat" });
  expectTypeOf(start.start({ body: { text: "Hi" }, thread: "chat" })).toEqualTypeOf<string>();
  expectTypeOf(start.mutateAsync({ id: "s" })).toEqualTypeOf<Promise<string>>();
  expectTypeOf(start.data).toEqualTypeOf<string | undefined>();
  // @ts-expect-error -- the app's route is the hook's
  start.start({ url: "/api/other" });
  // @ts-expect-error -- an id is a text
  start.mutate({ id: 7 });
  // @ts-expect-error -- without a route nothing can be started
  useStartStream({});

  const stop = useStopStream();
  expectTypeOf(stop.mutateAsync({ id: "s" })).toEqualTypeOf<Promise<void>>();
  // @ts-expect-error -- stop what?
  stop.mutate({});
}

/** What is known of a thread's newest stream. */
export function useActiveTypes(queryClient: QueryClient): void {
  expectTypeOf(useActiveStream("chat").data).toEqualTypeOf<ActiveStream | null | undefined>();
  expectTypeOf(useActiveStream(undefined).data).toEqualTypeOf<ActiveStream | null | undefined>();
  const options = activeStreamOptions(useStreamClient(), "chat");
  expectTypeOf(useQuery(options).data).toEqualTypeOf<ActiveStream | null | undefined>();
  expectTypeOf(queryClient.fetchQuery(options)).toEqualTypeOf<Promise<ActiveStream | null>>();
  // @ts-expect-error -- a thread has a key
  activeStreamOptions(useStreamClient());

  const selected = useActiveStream("chat", { select: (active) => active?.streamId });
  expectTypeOf(selected.data).toEqualTypeOf<string | undefined>();
  // @ts-expect-error -- the query is the hook's
  useActiveStream("chat", { queryFn: () => null });
  // @ts-expect-error -- what is known at first is this tab's
  useActiveStream("chat", { initialData: null });
}

/** What is cached of a stream that has finished. */
export function useFinishedTypes(queryClient: QueryClient): void {
  const options = finishedMessageOptions(useStreamClient(), "s");
  expectTypeOf(useQuery(options).data).toEqualTypeOf<FinishedStream<AssistantMessage> | undefined>();
  expectTypeOf(queryClient.getQueryData(options.queryKey)).toEqualTypeOf<
    FinishedStream<AssistantMessage> | undefined
  >();
  const named = finishedMessageOptions<TextMessage>({ endpoint: "/api/streams", scope: "ada" }, "s");
  expectTypeOf(useQuery(named).data).toEqualTypeOf<FinishedStream<TextMessage> | undefined>();
  // @ts-expect-error -- of which stream?
  finishedMessageOptions(useStreamClient());
}

/** Options for TanStack's own mutations. */
export function useMutationOptionTypes(): void {
  const client = useStreamClient();
  const start = useMutation(startStreamOptions(client, { url: "/api/chat" }));
  expectTypeOf(start.mutateAsync({ id: "s", body: { text: "Hi" } })).toEqualTypeOf<Promise<string>>();
  // @ts-expect-error -- the caller mints the id
  start.mutate({ body: { text: "Hi" } });
  // @ts-expect-error -- started where?
  startStreamOptions(client, {});

  const stop = useMutation(stopStreamOptions(client));
  expectTypeOf(stop.mutateAsync({ id: "s" })).toEqualTypeOf<Promise<void>>();
  // @ts-expect-error -- stop what?
  stop.mutate({});
}

/** Keys take a client, or what of it they depend on. */
export function useKeyTypes(): void {
  const client = useStreamClient();
  expectTypeOf(streamKeys.all(client)).toEqualTypeOf<readonly unknown[]>();
  expectTypeOf(streamKeys.active({ endpoint: "/api/streams", scope: "" }, "chat")).toEqualTypeOf<
    readonly unknown[]
  >();
  // @ts-expect-error -- whose?
  streamKeys.start({ endpoint: "/api/streams" });
  // @ts-expect-error -- of which stream?
  streamKeys.message(client);
}
