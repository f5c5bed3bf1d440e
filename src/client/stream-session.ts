/**
 * The session: the client's connection to one stream. It performs what the machine decides, keeps the one fold of the
 * stream, and is the only place that knows message and cursor. Components and apps look at its state.
 */
import { createStore } from "zustand/vanilla";
import { isUrlStreamId, parseCursor, type Position } from "../shared/cursor.ts";
import { ResumableStreamError } from "../shared/errors.ts";
import type { StreamProtocol } from "../shared/protocols/protocol.ts";
import type { SseEvent } from "../shared/sse.ts";
import type { PublicError, StreamEnd } from "../shared/wire.ts";
import { checkpointKey, type CheckpointStore } from "./checkpoints/checkpoint-store.ts";
import { readCheckpoint, writeCheckpoint, type Checkpoint } from "./checkpoints/checkpoint.ts";
import { sessionStorageCheckpoints } from "./checkpoints/session-storage.ts";
import { failureOf, RequestError } from "./client-error.ts";
import { createCommitSchedule } from "./commit-schedule.ts";
import { createSessionFold, type SessionFold } from "./session-fold.ts";
import {
  clientStatusOf,
  deadlineOf,
  initialConnection,
  isFinal,
  nextRetryAtOf,
  stepConnection,
  type ClientStatus,
  type ConnectionAction,
  type ConnectionEvent,
  type ConnectionState,
} from "./session-state.ts";
import {
  followUrl,
  readStreamResponse,
  requestJson,
  sendRequest,
  streamUrl,
  type RequestOptions,
} from "./stream-request.ts";
import { pageWake, type WakeSignal, type WakeSource } from "./wake.ts";

/** What is known of a stream. A new object whenever something changed; its parts always belong together. */
export interface StreamSessionState<TMessage> {
  readonly id: string;
  readonly status: ClientStatus;
  /** The message so far; `undefined` while nothing is known of it. Immutable. */
  readonly message: TMessage | undefined;
  /** The position that the message stands for; `""` at the start. */
  readonly cursor: string;
  /** Why the stream ended, or why the connection is being tried again; `null` when all is well. */
  readonly error: PublicError | null;
  /** Whether stored events are being read, before the live ones. */
  readonly isReplaying: boolean;
  /** Whether somebody pressed stop, and the stream has not ended yet. */
  readonly isStopping: boolean;
  /** Attempts that failed in a row. */
  readonly attempt: number;
  /** When the next attempt begins, in milliseconds of `Date.now()`; `null` when none is planned. */
  readonly nextRetryAt: number | null;
}

/** About an event: whether it was sent before, and is now read again from the log. */
export interface StreamEventInfo {
  /** It was read before `rejoin.live`: it may be long past. */
  readonly replayed: boolean;
  /** The cursor just after it. */
  readonly cursor: string;
}

/**
 * Called for each event, for side effects. At most once for an event over the life of the tab: its mark is stored before
 * the call. Calls are in order.
 */
export type StreamEventListener = (payload: string, info: StreamEventInfo) => void;

/** Options of {@link createStreamSession}. */
export interface StreamSessionOptions<TMessage> extends RequestOptions {
  /** The stream. */
  readonly id: string;
  /** Base path of the handler, such as `/api/streams`. */
  readonly endpoint: string;
  /** The language of the stream's payloads. */
  readonly protocol: StreamProtocol<TMessage>;
  /** Where checkpoints are kept; `sessionStorage` by default. */
  readonly checkpoints?: CheckpointStore | undefined;
  /** Whose checkpoints they are, such as a user's id. Those of another scope are dropped. */
  readonly scope?: string | undefined;
  /** What tells that a request may work again; the page by default. */
  readonly wake?: WakeSource | undefined;
  /** Called when somebody wants the session again after it let go. */
  readonly onWant?: (() => void) | undefined;
  /** Called once when the stream has ended, with the message as it ended. */
  readonly onEnd?: ((end: StreamEnd, message: TMessage | undefined) => void) | undefined;
  /** Called when nobody has wanted the session for a while and it let go of its connection. */
  readonly onRelease?: (() => void) | undefined;
}

/** The connection to one stream. */
export interface StreamSession<TMessage> {
  readonly id: string;
  getState(): StreamSessionState<TMessage>;
  /**
   * Calls `listener` after each change of the state. The first subscriber opens the connection; 5 s after the last one
   * left it is let go, and the state stays.
   */
  subscribe(listener: () => void): () => void;
  /** Whether somebody subscribed, connected, or left less than 5 s ago. */
  isWanted(): boolean;
  /** Opens the connection, and keeps it until {@link StreamSession.dispose}. */
  connect(): void;
  /** Registers for side effects. Register before the connection is opened, to miss nothing. */
  onEvent(listener: StreamEventListener): () => void;
  /**
   * Sends the request that starts the stream and reads its response. Resolves when the response is there; rejects with a
   * {@link RequestError} when it is not, while the session goes on by itself where the stream may have been started.
   */
  start(send: (signal: AbortSignal) => Promise<Response>): Promise<void>;
  /**
   * Stops the stream, wherever it is produced. The wish is stored, so that a reload sends it again, and repeated until the
   * server has it. Resolves then, or when the stream has ended; rejects when the server refuses.
   */
  stop(): Promise<void>;
  /** Tries again at once, also after an error. Nothing happens to a stream that is done. */
  retry(): void;
  /** Lets go of everything. A later `connect` or subscription takes it up again. */
  dispose(): void;
}

/** Milliseconds after the last subscriber left. */
export const LINGER_MS = 5_000;
/** Milliseconds between two checkpoints at least. */
const CHECKPOINT_MS = 1_000;
/** UTF-16 units that some store may refuse. */
const LONG_CHECKPOINT = 200_000;
/** The longest delay that timers keep (32 bits, signed). */
const MAX_TIMER_MS = 2_147_483_647;

/** Makes a session. It reads its checkpoint, and does nothing else until somebody wants it. Throws `invalid-id`. */
export function createStreamSession<TMessage>(
  options: StreamSessionOptions<TMessage>,
): StreamSession<TMessage> {
  const { id, endpoint, protocol, scope = "" } = options;
  if (!isUrlStreamId(id)) {
    throw new ResumableStreamError(
      "invalid-id",
      `Not a stream id: ${JSON.stringify(id.slice(0, 64))}. Use a UUID.`,
    );
  }
  const checkpoints = options.checkpoints ?? sessionStorageCheckpoints();
  const wake = options.wake ?? pageWake;
  const checkpointName = checkpointKey(scope, endpoint, "stream", id);
  const markName = checkpointKey(scope, endpoint, "mark", id);
  const listeners = new Set<StreamEventListener>();

  let fold: SessionFold<TMessage> = createSessionFold(protocol, null);
  let connection: ConnectionState = initialConnection({ expected: false, stopping: false });
  let started = false;
  let end: StreamEnd | undefined;
  /** The last event whose side effects were begun. */
  let mark: Position | null = null;

  const store = createStore<StreamSessionState<TMessage>>()(() => view());
  const commits = createCommitSchedule(() => store.setState(view(), true));
  let isRestored = true;
  const restoring = restore();

  // Being wanted.

  let wanted = 0;
  /** Counts the times that the session let go: who wanted it before has no say any more. */
  let releases = 0;
  let released = true;
  let lingerTimer: ReturnType<typeof setTimeout> | undefined;
  let stopWake: (() => void) | undefined;

  /** Somebody wants the session from now on; returns what ends that. */
  function want(): () => void {
    wanted += 1;
    clearTimeout(lingerTimer);
    if (released) {
      released = false;
      void checkpoints.retainScope(scope);
      stopWake = wake.subscribe(onWake);
      options.onWant?.();
    }
    let done = false;
    const mine = releases;
    return () => {
      if (done || mine !== releases) return;
      done = true;
      wanted -= 1;
      if (wanted === 0) lingerTimer = setTimeout(release, LINGER_MS);
    };
  }

  function wantConnection(): () => void {
    const unwant = want();
    const connect = (): void => {
      if (wanted > 0) dispatch({ type: "connect", online: wake.isOnline() });
    };
    if (restoring === undefined) connect();
    else void restoring.then(connect);
    return unwant;
  }

  function release(): void {
    if (released) return;
    released = true;
    releases += 1;
    wanted = 0;
    clearTimeout(lingerTimer);
    stopWake?.();
    saveCheckpoint();
    dispatch({ type: "disconnect" });
    commits.now();
    clearTimeout(timer);
    timerAt = Infinity;
    options.onRelease?.();
  }

  // The machine.

  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAt = Infinity;

  function dispatch(event: ConnectionEvent): void {
    const before = connection;
    const { state, actions } = stepConnection(connection, event, Date.now(), Math.random());
    connection = state;
    for (const action of actions) perform(action);
    armTimer();
    if (before.phase.name !== "ended" && state.phase.name === "ended") {
      // An end that the log told is the fold's already; one that was assumed here may be taken back.
      if (event.type !== "end")
        fold.end({ status: state.phase.status, ...(state.error && { error: state.error }) });
      if (event.type === "end" || state.error === null) stopping?.resolve();
      else stopping?.reject(new ResumableStreamError(state.error.code, state.error.message));
    }
    if (before.stop.name !== state.stop.name) saveCheckpoint();
    planCommit(before);
  }

  function armTimer(): void {
    const deadline = deadlineOf(connection) ?? Infinity;
    // A later deadline is looked at when the timer fires: signs of life come far more often than cuts.
    if (deadline >= timerAt || released) return;
    clearTimeout(timer);
    timerAt = deadline;
    timer = setTimeout(onTimer, Math.min(Math.max(deadline - Date.now(), 0), MAX_TIMER_MS));
  }

  function onTimer(): void {
    timerAt = Infinity;
    if (!released) dispatch({ type: "timer", online: wake.isOnline() });
  }

  function perform(action: ConnectionAction): void {
    switch (action) {
      case "open":
        void read((signal) => {
          const url = followUrl(endpoint, id, fold.cursor());
          return sendRequest(
            url,
            { headers: { accept: "text/event-stream" }, cache: "no-store", signal },
            options,
          );
        }).catch(() => {});
        return;
      case "abort":
        reading?.abort();
        reading = undefined;
        return;
      case "send-stop":
        void sendStop();
    }
  }

  function onWake(signal: WakeSignal): void {
    switch (signal) {
      case "online":
      case "offline":
        return dispatch({ type: signal });
      case "visible":
        return dispatch({ type: "visible", online: wake.isOnline() });
      case "hide":
        dispatch({ type: "hide" });
        return saveCheckpoint();
      case "hidden":
        return saveCheckpoint();
    }
  }

  // Reading.

  /** The response that is being read. Another one's late news are nobody's. */
  let reading: AbortController | undefined;

  async function read(
    request: (signal: AbortSignal) => Promise<Response>,
    onOpen?: () => void,
  ): Promise<void> {
    reading?.abort();
    const mine = new AbortController();
    reading = mine;
    fresh = false;
    const isMine = (): boolean => reading === mine;
    try {
      await readStreamResponse(await request(mine.signal), {
        onOpen() {
          if (isMine()) dispatch({ type: "opened" });
          onOpen?.();
        },
        onActivity() {
          if (isMine()) dispatch({ type: "activity" });
        },
        onEvent(event) {
          if (isMine() && connection.phase.name === "open") take(event);
        },
        onChunkEnd() {
          if (isMine()) planEventCommit();
        },
        isWanted: () => isMine() && connection.phase.name === "open",
      });
      if (isMine()) dispatch({ type: "closed" });
    } catch (error) {
      const failure = failureOf(error);
      if (isMine()) {
        const isRefused = onOpen !== undefined && isFinal(failure);
        // Nothing was started, so a reload need not look for it.
        if (isRefused) started = false;
        dispatch({ type: isRefused ? "refused" : "failed", failure, online: wake.isOnline() });
      }
      throw error instanceof RequestError ? error : new RequestError(failure, { cause: error });
    }
  }

  /** Whether events came that are not shown yet. */
  let fresh = false;
  let isEndTold = false;

  function take(event: SseEvent): void {
    const result = fold.take(event);
    switch (result.type) {
      case "entry":
        if (!fresh) dispatch({ type: "progress" });
        fresh = true;
        fireEvent(result.payload, result.position, event.id ?? "");
        return;
      case "replaced":
        fresh = true;
        isEndTold = false;
        return result.progressed ? dispatch({ type: "progress" }) : undefined;
      case "live":
        return dispatch({ type: "live", heartbeatMs: result.heartbeatMs });
      case "end":
        return finish(result.end);
      case "gap":
        return dispatch({ type: "gap" });
      case "nothing":
    }
  }

  function finish(result: StreamEnd): void {
    end = result;
    fold.end(result);
    dispatch({ type: "end", end: result });
    saveCheckpoint();
    if (isEndTold) return;
    isEndTold = true;
    try {
      options.onEnd?.(result, fold.view());
    } catch (error) {
      console.error(`rejoin: the onEnd of stream ${id} failed:`, error);
    }
  }

  function fireEvent(payload: string, position: Position, cursor: string): void {
    if (listeners.size === 0) return;
    if (mark !== null && mark.generation === position.generation && position.seq <= mark.seq) return;
    mark = position;
    void checkpoints.set(markName, cursor);
    const replayed = !(connection.phase.name === "open" && connection.phase.live);
    for (const listener of listeners) {
      try {
        listener(payload, { replayed, cursor });
      } catch (error) {
        console.error(`rejoin: an onEvent of stream ${id} failed:`, error);
      }
    }
  }

  // Showing.

  function view(): StreamSessionState<TMessage> {
    const status = clientStatusOf(connection);
    return {
      id,
      status,
      message: fold.view(),
      cursor: fold.cursor(),
      error: connection.error,
      isReplaying: status === "replaying",
      isStopping: connection.stop.name !== "none",
      attempt: connection.attempt,
      nextRetryAt: nextRetryAtOf(connection),
    };
  }

  function planCommit(before: ConnectionState): void {
    const [was, is] = [clientStatusOf(before), clientStatusOf(connection)];
    const isSamePhase = before.phase.name === connection.phase.name;
    if (
      was === is &&
      isSamePhase &&
      before.stop.name === connection.stop.name &&
      before.error === connection.error
    )
      return;
    // Most replays are over before anybody could read that there is one.
    if (is === "replaying") commits.replay();
    else commits.now();
  }

  /** After the events of a chunk: so that they show as one. */
  function planEventCommit(): void {
    if (!fresh) return;
    fresh = false;
    if (connection.phase.name === "open") {
      if (connection.phase.live) commits.frame();
      else commits.replay();
    }
    planCheckpoint();
  }

  // Checkpoints.

  let checkpointTimer: ReturnType<typeof setTimeout> | undefined;
  let saved: string | undefined;

  function restore(): Promise<void> | undefined {
    const [text, markText] = [checkpoints.get(checkpointName), checkpoints.get(markName)];
    if (!(text instanceof Promise) && !(markText instanceof Promise)) return takeCheckpoint(text, markText);
    isRestored = false;
    return Promise.all([text, markText])
      .then(
        ([later, laterMark]) => {
          takeCheckpoint(later, laterMark);
          commits.now();
        },
        () => undefined,
      )
      .finally(() => (isRestored = true));
  }

  function takeCheckpoint(text: string | null, markText: string | null): undefined {
    mark = parseCursor(markText ?? "");
    const checkpoint = readCheckpoint(text, protocol);
    if (checkpoint === null) return;
    try {
      fold = createSessionFold(protocol, checkpoint);
    } catch {
      // Of another version of the app: it is as if there were none.
      return;
    }
    started = checkpoint.started ?? false;
    end = checkpoint.end;
    const expected = started || checkpoint.cursor !== "";
    connection = initialConnection({ end, expected, stopping: checkpoint.stopping ?? false });
    store.setState(view(), true);
  }

  function planCheckpoint(): void {
    checkpointTimer ??= setTimeout(saveCheckpoint, CHECKPOINT_MS);
  }

  function saveCheckpoint(): void {
    clearTimeout(checkpointTimer);
    checkpointTimer = undefined;
    const checkpoint: Checkpoint = {
      protocol: protocol.name,
      version: protocol.version,
      cursor: fold.cursor(),
      snapshot: null,
      end,
      started: started || undefined,
      stopping: connection.stop.name !== "none" || undefined,
    };
    const identity = JSON.stringify(checkpoint);
    if (identity === saved) return;
    saved = identity;
    if (checkpoint.cursor === "" && !checkpoint.started && !checkpoint.stopping && end === undefined) {
      return void checkpoints.delete(checkpointName);
    }
    const text = writeCheckpoint({ ...checkpoint, snapshot: fold.snapshot() });
    // A wish to stop must not be lost because the answer is long.
    const isTooLong = checkpoint.stopping === true && text.length > LONG_CHECKPOINT;
    void checkpoints.set(checkpointName, isTooLong ? writeCheckpoint({ ...checkpoint, cursor: "" }) : text);
  }

  // Stopping.

  let stopping: PromiseWithResolvers<void> | undefined;

  async function sendStop(): Promise<void> {
    try {
      await requestJson(streamUrl(endpoint, id, "/stop"), { method: "POST", keepalive: true }, options);
      dispatch({ type: "stop-accepted" });
      stopping?.resolve();
    } catch (error) {
      dispatch({ type: "stop-failed", failure: failureOf(error) });
      if (connection.stop.name === "none") stopping?.reject(error);
    }
  }

  return {
    id,
    getState: () => store.getState(),
    isWanted: () => !released,
    subscribe(listener) {
      const unsubscribe = store.subscribe(listener);
      const unwant = wantConnection();
      return () => {
        unsubscribe();
        unwant();
      };
    },
    connect() {
      wantConnection();
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start(send) {
      const unwant = want();
      try {
        await restoring;
        // The request is being repeated, and its stream is here already.
        if (connection.phase.name === "open") return;
        started = true;
        end = undefined;
        dispatch({ type: "start" });
        saveCheckpoint();
        await new Promise<void>((resolve, reject) => void read(send, resolve).catch(reject));
      } finally {
        unwant();
      }
    },
    stop() {
      if (connection.phase.name === "ended") return Promise.resolve();
      if (stopping === undefined || connection.stop.name === "none") stopping = Promise.withResolvers<void>();
      const { promise } = stopping;
      // It is seen through, whoever is looking.
      promise.catch(() => {}).finally(wantConnection());
      if (isRestored) dispatch({ type: "stop" });
      else void restoring?.then(() => dispatch({ type: "stop" }));
      return promise;
    },
    retry() {
      const status = clientStatusOf(connection);
      if (status === "done" || status === "stopped") return;
      end = undefined;
      fold.reopen();
      // Nobody looks at it: it is let go again soon.
      if (released) want()();
      dispatch({ type: "retry" });
    },
    dispose: release,
  };
}
