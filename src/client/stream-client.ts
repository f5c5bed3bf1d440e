/**
 * The sessions of an app: one a stream, shared by all who ask for it. What the React provider holds; an app without React
 * may hold one itself.
 */
import type { StreamProtocol } from "../shared/protocols/protocol.ts";
import { isFinal } from "./session-state.ts";
import { createStreamId } from "../shared/stream-id.ts";
import { THREAD_PARAM, type StreamEnd, type StreamStatus } from "../shared/wire.ts";
import { checkpointKey, type CheckpointStore } from "./checkpoints/checkpoint-store.ts";
import { isRecord } from "./checkpoints/checkpoint.ts";
import { sessionStorageCheckpoints } from "./checkpoints/session-storage.ts";
import { RequestError } from "./client-error.ts";
import { startStream, type StartStreamRequest } from "./start-stream.ts";
import { requestJson, streamUrl, type RequestOptions } from "./stream-request.ts";
import { createStreamSession, LINGER_MS, type StreamSession } from "./stream-session.ts";
import type { WakeSource } from "./wake.ts";

/** Options of {@link createStreamClient}. */
export interface StreamClientOptions<TMessage> extends RequestOptions {
  /** Base path of the handler, such as `/api/streams`. */
  readonly endpoint: string;
  /** The language of the streams. */
  readonly protocol: StreamProtocol<TMessage>;
  /** Where checkpoints are kept; `sessionStorage` by default. */
  readonly checkpoints?: CheckpointStore | undefined;
  /** Whose checkpoints they are, such as a user's id. */
  readonly scope?: string | undefined;
  readonly wake?: WakeSource | undefined;
  /** Called once for each stream that ends here. */
  readonly onEnd?: ((id: string, end: StreamEnd, message: TMessage | undefined) => void) | undefined;
}

/** The live or last stream of a thread. */
export interface ActiveStream {
  readonly streamId: string;
  readonly status: StreamStatus;
}

/** A request that starts a stream, with what it is called. */
export interface StartRequest extends StartStreamRequest {
  /** The stream's id; minted where there is none. */
  readonly id?: string | undefined;
  /** The app's own key: a reloaded page knows at once which stream was the thread's last. */
  readonly thread?: string | undefined;
}

/** The sessions of an app. */
export interface StreamClient<TMessage> {
  readonly endpoint: string;
  readonly scope: string;
  readonly protocol: StreamProtocol<TMessage>;
  /** The session of a stream; made where there is none. */
  session(id: string): StreamSession<TMessage>;
  /** Sends the request that starts a stream. Resolves with its id when the response is there. */
  start(request: StartRequest): Promise<string>;
  /** Stops a stream. */
  stop(id: string): Promise<void>;
  /** Asks the server for the newest stream of a thread; `null` where there is none. */
  findActive(thread: string, signal?: AbortSignal): Promise<ActiveStream | null>;
  /** The thread's newest stream as far as this tab knows; `null` where it does not, or its storage takes its time. */
  lastKnown(thread: string): string | null;
  /** Lets go of all sessions. */
  dispose(): void;
}

/** Makes a client. It does nothing until it is asked. */
export function createStreamClient<TMessage>(options: StreamClientOptions<TMessage>): StreamClient<TMessage> {
  const { endpoint, protocol, scope = "" } = options;
  const checkpoints = options.checkpoints ?? sessionStorageCheckpoints();
  const sessions = new Map<string, StreamSession<TMessage>>();
  const threadName = (thread: string): string => checkpointKey(scope, endpoint, "thread", thread);

  const client: StreamClient<TMessage> = {
    endpoint,
    scope,
    protocol,
    session(id) {
      let session = sessions.get(id);
      if (session === undefined) {
        const created: StreamSession<TMessage> = createStreamSession<TMessage>({
          ...options,
          id,
          checkpoints,
          onEnd: (end, message) => options.onEnd?.(id, end, message),
          // Whoever kept it while it was let go may want it again.
          onWant: () => sessions.has(id) || sessions.set(id, created),
          onRelease: () => sessions.get(id) === created && sessions.delete(id),
        });
        session = created;
        sessions.set(id, session);
        forgetUnlessWanted(id, session);
      }
      return session;
    },
    async start({ id = createStreamId(), thread, ...request }) {
      const before = thread === undefined ? null : client.lastKnown(thread);
      if (thread !== undefined) void checkpoints.set(threadName(thread), id);
      try {
        await startStream(client.session(id), request, options);
        return id;
      } catch (error) {
        // Nothing was started, so the stream before is still the thread's last.
        if (thread !== undefined && error instanceof RequestError && isFinal(error.failure)) {
          if (before === null || before === id) void checkpoints.delete(threadName(thread));
          else void checkpoints.set(threadName(thread), before);
        }
        throw error;
      }
    },
    stop: (id) => client.session(id).stop(),
    async findActive(thread, signal) {
      try {
        const query = new URLSearchParams({ [THREAD_PARAM]: thread });
        const init = signal === undefined ? {} : { signal };
        const body = await requestJson(`${streamUrl(endpoint, "")}?${query}`, init, options);
        if (!isRecord(body) || typeof body["streamId"] !== "string")
          throw new RequestError({ kind: "bad-response" });
        void checkpoints.set(threadName(thread), body["streamId"]);
        return { streamId: body["streamId"], status: statusOf(body["status"]) };
      } catch (error) {
        if (!(error instanceof RequestError && error.status === 404)) throw error;
        void checkpoints.delete(threadName(thread));
        return null;
      }
    },
    lastKnown(thread) {
      const id = checkpoints.get(threadName(thread));
      return typeof id === "string" ? id : null;
    },
    dispose() {
      for (const session of sessions.values()) session.dispose();
      sessions.clear();
    },
  };
  return client;

  /** A session that was asked for while rendering may never be wanted: then it is forgotten. It has done nothing yet. */
  function forgetUnlessWanted(id: string, session: StreamSession<TMessage>): void {
    if (typeof window === "undefined") return;
    setTimeout(() => {
      if (sessions.get(id) === session && !session.isWanted()) sessions.delete(id);
    }, LINGER_MS);
  }
}

const STATUSES: readonly StreamStatus[] = ["streaming", "done", "error", "stopped"];

function statusOf(value: unknown): StreamStatus {
  return STATUSES.find((status) => status === value) ?? "missing";
}
