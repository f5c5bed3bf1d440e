/** A session against a real handler in the same process, over a network that a test may cut anywhere. */
import { vi } from "vitest";
import { memoryCheckpoints } from "../../src/client/checkpoints/memory.ts";
import type { CheckpointStore } from "../../src/client/checkpoints/checkpoint-store.ts";
import type { StreamSession, StreamSessionOptions } from "../../src/client/session-contract.ts";
import { createStreamSession } from "../../src/client/stream-session.ts";
import type { WakeSignal, WakeSource } from "../../src/client/wake.ts";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  createResumableStreamHandler,
  createResumableStreamResponse,
  type ResumableStreamContext,
} from "../../src/server/index.ts";
import type { MakeSource } from "../../src/server/source.ts";
import type { StreamProtocol } from "../../src/shared/protocols/protocol.ts";

/** What the network does to a response: gets the response and gives another one, or throws. */
export type Network = (
  request: Request,
  answer: (request: Request) => Promise<Response>,
) => Promise<Response>;

export interface Harness<TMessage> {
  readonly context: ResumableStreamContext;
  /** Every request that was made, as `METHOD /path?query`. */
  readonly requests: string[];
  network: Network;
  readonly fetch: typeof globalThis.fetch;
  /** A session; all of them share the checkpoints, as the reloads of one tab do. */
  session(options?: Partial<StreamSessionOptions<TMessage>>): StreamSession<TMessage>;
  readonly checkpoints: CheckpointStore;
  /** Sends a POST that starts the stream, as an app does. */
  start(session: StreamSession<TMessage>): Promise<void>;
  readonly wake: WakeSource & { send(signal: WakeSignal): void; online: boolean };
}

export const STREAM_ID = "stream-1";

export function createHarness<TMessage>(
  protocol: StreamProtocol<TMessage>,
  source: MakeSource,
  checkpoints: CheckpointStore = memoryCheckpoints(),
): Harness<TMessage> {
  const context = createResumableStreamContext({
    store: createInMemoryResumableStreamStore(),
    onError: () => {},
  });
  const handler = createResumableStreamHandler({ context, authorize: () => true, basePath: "/api/streams" });
  const answer = (request: Request): Promise<Response> =>
    new URL(request.url).pathname === "/api/chat"
      ? createResumableStreamResponse({ request, context, owner: null, protocol, source, thread: "chat" })
      : handler(request);
  const listeners = new Set<(signal: WakeSignal) => void>();
  const wake: Harness<TMessage>["wake"] = {
    online: true,
    isOnline: () => wake.online,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    send(signal) {
      if (signal === "online" || signal === "offline") wake.online = signal === "online";
      for (const listener of listeners) listener(signal);
    },
  };
  const harness: Harness<TMessage> = {
    context,
    requests: [],
    network: (request, next) => next(request),
    checkpoints,
    wake,
    async fetch(input, init) {
      const request = new Request(new URL(String(input), "http://test.local"), init);
      harness.requests.push(`${request.method} ${request.url.replace("http://test.local", "")}`);
      init?.signal?.throwIfAborted();
      return harness.network(request, answer);
    },
    session: (options = {}) =>
      createStreamSession({
        id: STREAM_ID,
        endpoint: "/api/streams",
        protocol,
        checkpoints,
        wake,
        fetch: harness.fetch,
        ...options,
      }),
    start: (session) =>
      session.start((signal) =>
        harness.fetch("/api/chat", {
          method: "POST",
          headers: { "x-resumable-stream-id": session.id, "x-rejoin-control": "1" },
          signal,
        }),
      ),
  };
  return harness;
}

/** The first `bytes` of a response, then its end: an error, or a clean one. */
export function cutResponse(response: Response, bytes: number, how: "error" | "end"): Response {
  let left = bytes;
  const reader = response.body?.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const result = left > 0 ? await reader?.read() : undefined;
      const chunk = result?.value?.slice(0, left);
      if (chunk !== undefined) {
        left -= chunk.byteLength;
        controller.enqueue(chunk);
      }
      if (left > 0 && chunk !== undefined) return;
      await reader?.cancel();
      if (how === "error") controller.error(new TypeError("Load failed"));
      else controller.close();
    },
    cancel: (reason) => reader?.cancel(reason),
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

/** Resolves when a session's state is as wanted. */
export function until<TMessage>(
  session: StreamSession<TMessage>,
  condition: (state: ReturnType<StreamSession<TMessage>["getState"]>) => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    if (condition(session.getState())) return resolve();
    const unsubscribe = session.subscribe(() => {
      if (!condition(session.getState())) return;
      unsubscribe();
      resolve();
    });
    if (condition(session.getState())) {
      unsubscribe();
      resolve();
    }
  });
}

/** Whether a session has ended, in whatever way. */
export function hasEnded({ status }: { readonly status: string }): boolean {
  return ["done", "error", "stopped", "missing"].includes(status);
}

/** Lets faked time pass until a session has ended. */
export async function toEnd(session: StreamSession<unknown>): Promise<void> {
  const ended = until(session, hasEnded);
  let done = false;
  void ended.then(() => (done = true));
  for (let step = 0; step < 500 && !done; step += 1) await vi.advanceTimersByTimeAsync(250);
  await ended;
}
