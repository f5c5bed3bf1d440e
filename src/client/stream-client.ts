/** Starts, stops and finds streams, and has their sessions. An app without React may hold one itself. */
import { isUrlStreamId } from "../shared/cursor.ts";
import { isObject, isString, parseJson } from "../shared/json/json-value.ts";
import { createStreamId } from "../shared/stream-id.ts";
import type { StreamProtocol } from "../shared/protocols/protocol.ts";
import { THREAD_PARAM, type StreamStatus } from "../shared/wire.ts";
import { checkpointArea, type CheckpointArea } from "./checkpoints/checkpoint-area.ts";
import { readCheckpoint } from "./checkpoints/checkpoint.ts";
import { assertOk, RequestError } from "./client-error.ts";
import { failureWith, isFinal } from "./failure.ts";
import { inTime } from "./in-time.ts";
import { startStream, type StartStreamRequest } from "./start-stream.ts";
import { sendRequest, streamUrl } from "./stream-request.ts";
import type { StreamSession } from "./session-contract.ts";
import { pageWake, type WakeSource } from "./wake.ts";
import { createStreamSessions, type StreamSessions, type StreamSessionsOptions } from "./stream-sessions.ts";

/** Options of {@link createStreamClient}. */
export interface StreamClientOptions<TMessage> extends Omit<StreamSessionsOptions<TMessage>, "scope"> {
  /** Whose checkpoints they are, such as a user's id. */
  readonly scope?: string | undefined;
}

/** The live or last stream of a thread. */
export interface ActiveStream {
  /** The stream's id. */
  readonly streamId: string;
  /** How it was when it was asked for, or when it ended here; one that was just started here is `streaming`. */
  readonly status: StreamStatus;
}

/** A request that starts a stream, with what it is called. */
export interface StartRequest extends StartStreamRequest {
  /** The stream's id; minted where there is none. */
  readonly id?: string | undefined;
  /** The app's own key: a reloaded page knows at once which stream was the thread's last. */
  readonly thread?: string | undefined;
}

/** Starts, stops and finds streams, and has their sessions. */
export interface StreamClient<TMessage> {
  /** Base path of the handler, as it was given. */
  readonly endpoint: string;
  /** Whose checkpoints they are; `""` where nobody was named. */
  readonly scope: string;
  /** The language of the streams. */
  readonly protocol: StreamProtocol<TMessage>;
  /** What tells its sessions that a request may work again. */
  readonly wake: WakeSource;
  /** The session of a stream; made where there is none. */
  session(id: string): StreamSession<TMessage>;
  /** Sends the request that starts a stream. Resolves with its id when the response is there. */
  start(request: StartRequest): Promise<string>;
  /** Stops a stream, as its session does: {@link StreamSession.stop}. */
  stop(id: string): Promise<void>;
  /**
   * Asks the server for the newest stream of a thread; `null` where there is none. One that was just started here, of which
   * the server may not know yet, is newer.
   */
  findActive(thread: string, signal?: AbortSignal): Promise<ActiveStream | null>;
  /** The thread's newest stream as far as this tab knows; `null` where it does not, or its storage takes its time. */
  lastKnown(thread: string): string | null;
  /** Lets go of all sessions. */
  dispose(): void;
}

/** Makes a client. It does nothing until it is asked. */
export function createStreamClient<TMessage>(options: StreamClientOptions<TMessage>): StreamClient<TMessage> {
  return streamClientOf(createStreamSessions({ ...options, scope: options.scope ?? "" }));
}

/** The client of sessions that are there already. */
export function streamClientOf<TMessage>(sessions: StreamSessions<TMessage>): StreamClient<TMessage> {
  const { session, dispose, common } = sessions;
  const { endpoint, scope, protocol, checkpoints, wake = pageWake } = common;
  // What was cleared before is no matter of what is asked for now.
  const area = (): CheckpointArea => checkpointArea(scope, endpoint, checkpoints);

  /** What was started last for each thread, and what was the thread's stream before. */
  const starts = new Map<string, { readonly id: string; readonly before: string | null }>();

  const client: StreamClient<TMessage> = {
    endpoint,
    scope,
    protocol,
    wake,
    session,
    dispose,
    async start({ id = createStreamId(), thread, ...request }) {
      session(id).expectStart();
      const last = thread === undefined ? undefined : starts.get(thread);
      let before: string | null = null;
      if (thread !== undefined) {
        // One that is repeated comes after the same stream as the first time.
        before = last?.id === id ? last.before : client.lastKnown(thread);
        starts.set(thread, { id, before });
        await area().write("thread", thread, id);
      }
      try {
        await startStream(session(id), request, common);
        return id;
      } catch (error) {
        // Nothing was started, so the stream before is still the thread's last; unless there is a newer one.
        const isRefused = error instanceof RequestError && isFinal(error);
        if (thread !== undefined && isRefused && (await area().read("thread", thread)) === id)
          await area().write("thread", thread, before === id ? null : before);
        throw error;
      }
    },
    stop: (id) => session(id).stop(),
    async findActive(thread, signal) {
      const last = starts.get(thread);
      const found = await inTime((inner) => askForActive(thread, inner), signal);
      const known = readId(await area().read("thread", thread));
      // The server does not know yet of what was started here a moment ago, perhaps before a reload.
      if (known !== null && (await isUnconfirmed(known))) return { streamId: known, status: "streaming" };
      // What was started while the store took its time is newer than all of that.
      const started = starts.get(thread);
      if (started !== undefined && started !== last) return { streamId: started.id, status: "streaming" };
      void area().write("thread", thread, found?.streamId ?? null);
      return found;
    },
    lastKnown(thread) {
      return readId(area().read("thread", thread));
    },
  };

  /** Whether a stream was started here, and neither an event of it came nor word that there is none. */
  async function isUnconfirmed(id: string): Promise<boolean> {
    const checkpoint = readCheckpoint(protocol, await area().read("stream", id));
    return checkpoint?.started === true && checkpoint.cursor === "";
  }

  async function askForActive(thread: string, signal: AbortSignal): Promise<ActiveStream | null> {
    try {
      const query = new URLSearchParams({ [THREAD_PARAM]: thread });
      const response = await sendRequest(`${streamUrl(endpoint, "")}?${query}`, { signal }, common);
      await assertOk(response);
      const body = parseJson(await response.text());
      const { streamId: told, status } = isObject(body) ? body : {};
      const streamId = readId(told);
      if (streamId === null) throw new RequestError(failureWith("bad-response"));
      return { streamId, status: statusOf(status) };
    } catch (error) {
      if (error instanceof RequestError && error.status === 404) return null;
      throw error;
    }
  }

  return client;
}

/** An id from outside; `null` for what names no stream. */
function readId(value: unknown): string | null {
  return isString(value) && isUrlStreamId(value) ? value : null;
}

const STATUSES: readonly StreamStatus[] = ["streaming", "done", "error", "stopped"];

function statusOf(value: unknown): StreamStatus {
  return STATUSES.find((status) => status === value) ?? "missing";
}
