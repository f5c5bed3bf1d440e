/**
 * The session: the client's connection to one stream. It performs what the machine decides, keeps the one fold of the
 * stream, and is the only place that knows message and cursor. Components and apps look at its state.
 */
import { createStore } from "zustand/vanilla";
import { isUrlStreamId } from "../shared/cursor.ts";
import { ResumableStreamError } from "../shared/errors.ts";
import type { JsonValue } from "../shared/json/json-value.ts";
import type { SseEvent } from "../shared/sse.ts";
import { isEndStatus, type StreamEnd } from "../shared/wire.ts";
import { callSafely, isPromise } from "./call-safely.ts";
import { checkpointArea, retainScope } from "./checkpoints/checkpoint-area.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoints/checkpoint.ts";
import { assertOk, requestErrorOf } from "./client-error.ts";
import { createCommitSchedule } from "./commit-schedule.ts";
import {
  deadlineOf,
  initialConnection,
  isThere,
  shownOf,
  type ConnectionAction,
  type ConnectionEvent,
} from "./connection.ts";
import type { Failure } from "./failure.ts";
import { createInterest } from "./interest.ts";
import type { StreamSession, StreamSessionOptions, StreamSessionState } from "./session-contract.ts";
import { createSessionFold } from "./session-fold.ts";
import { stepConnection } from "./session-state.ts";
import { createSideEffects, type NewEvent } from "./side-effects.ts";
import { followUrl, readEvents, sendRequest, streamUrl } from "./stream-request.ts";
import { pageWake, type WakeSignal } from "./wake.ts";

/** Milliseconds between two checkpoints at least. */
const CHECKPOINT_MS = 1_000;

/** Makes a session. It reads its checkpoint, and does nothing else until somebody wants it. Throws `invalid-id`. */
export function createStreamSession<TMessage>(
  options: StreamSessionOptions<TMessage>,
): StreamSession<TMessage> {
  const { id, endpoint, protocol, scope = "", wake = pageWake, checkpoints } = options;
  if (!isUrlStreamId(id)) {
    throw new ResumableStreamError("invalid-id", `Not a stream id: ${id.slice(0, 64)}`);
  }
  const area = checkpointArea(scope, endpoint, checkpoints);

  let fold = createSessionFold(protocol);
  let connection = initialConnection();
  /** The end that the server told; one that was assumed here is tried again after a reload. */
  let end: StreamEnd | undefined;
  /** The position at which `onEnd` was called. */
  let finishedAt: string | undefined;

  /** What the checkpoint says, but for the fold, which goes with the cursor. */
  let saved = checkpointText(null);
  const nothing = saved;

  const sideEffects = createSideEffects((mark) => area.write("mark", id, mark));
  const store = createStore(view);
  const interest = createInterest(onWantedChange);
  const commits = createCommitSchedule(() => store.setState(view(), true));
  let restoring = restore();

  // Being wanted.

  let stopWake: (() => void) | undefined;

  function onWantedChange(isWanted: boolean): void {
    if (isWanted) {
      timerAt = Infinity;
      retainScope(scope, checkpoints);
      stopWake = wake.subscribe(onWake);
    } else {
      stopWake?.();
      void saveCheckpoint();
      dispatch({ type: "disconnect" });
      // It is stored, and sent when somebody wants the stream again.
      settleStop(requestErrorOf(undefined));
      commits.now();
      clearTimeout(timer);
      // Nothing is waited for any more.
      timerAt = -Infinity;
    }
    options.onWantedChange?.(isWanted);
  }

  function wantConnection(): () => void {
    const unwant = interest.want();
    whenRestored(() => {
      tellEnd();
      if (interest.isWanted()) dispatch({ type: "connect" });
    });
    return unwant;
  }

  /** Has the machine told of something. Where nobody looks at it, it is let go again soon. */
  function prompt(event: ConnectionEvent): void {
    interest.want()();
    whenRestored(() => {
      if (interest.isWanted()) dispatch(event);
    });
  }

  function onWake(signal: WakeSignal): void {
    if (signal !== "hidden") dispatch({ type: signal });
    // It may be the last moment.
    void saveCheckpoint();
  }

  // The machine.

  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAt = Infinity;

  function dispatch(event: ConnectionEvent): void {
    const before = connection;
    const { state, actions } = stepConnection(before, event, Date.now(), Math.random(), wake.isOnline());
    connection = state;
    for (const action of actions) perform(action);
    armTimer();
    const wasEnded = isEndStatus(before.phase);
    if (isEndStatus(state.phase) && !wasEnded) {
      fold.end({ status: state.phase, ...(state.error && { error: state.error }) });
      void saveCheckpoint();
    } else if (wasEnded && !isEndStatus(state.phase)) {
      end = undefined;
      fold.reopen();
    }
    if (before.stop !== state.stop) {
      void saveCheckpoint();
      if (isStopSettled()) settleStop("failure" in event ? event.failure : undefined);
    }
    if (JSON.stringify(shownOf(before)) === JSON.stringify(shownOf(state))) return;
    // Most replays are over before anybody could read that there is one; a button that was pressed answers at once.
    if (state.phase === "open" && !state.live && before.stop === state.stop) commits.replay();
    else commits.now();
  }

  function armTimer(): void {
    const deadline = deadlineOf(connection);
    // A later deadline is looked at when the timer fires: signs of life come far more often than cuts.
    if (deadline >= timerAt) return;
    clearTimeout(timer);
    timerAt = deadline;
    timer = setTimeout(() => {
      timerAt = Infinity;
      dispatch({ type: "timer" });
    }, deadline - Date.now());
  }

  function perform(action: ConnectionAction): void {
    if (action === "send-stop") return void sendStop();
    reading?.abort();
    reading = undefined;
    if (action === "abort") return;
    void read((signal) =>
      sendRequest(followUrl(endpoint, id, fold.cursor()), { cache: "no-store", signal }, options),
    ).catch(() => {});
  }

  // Reading.

  /** The response that is being read. Another one's late news are nobody's. */
  let reading: AbortController | undefined;

  async function read(
    request: (signal: AbortSignal) => Promise<Response>,
    onOpen?: () => void,
  ): Promise<void> {
    const mine = new AbortController();
    reading = mine;
    try {
      for await (const events of readEvents(await request(mine.signal))) {
        onOpen?.();
        if (reading !== mine) return;
        dispatch({ type: "activity" });
        takeAll(events);
        if (connection.phase !== "open") return;
      }
      if (reading === mine) dispatch({ type: "closed" });
    } catch (error) {
      const failure = requestErrorOf(error);
      if (reading === mine) dispatch({ type: "failed", failure });
      throw failure;
    }
  }

  /** Takes the events of a chunk, so that they show as one. */
  function takeAll(events: readonly SseEvent[]): void {
    const before = fold.cursor();
    const news: NewEvent[] = [];
    for (const event of events) if (connection.phase === "open") take(event, news);
    sideEffects.fire(news);
    tellEnd();
    if (fold.cursor() === before) return;
    if (connection.phase === "open") {
      if (connection.live) commits.frame();
      else commits.replay();
    }
    checkpointTimer ??= setTimeout(() => void saveCheckpoint(), CHECKPOINT_MS);
  }

  function take(event: SseEvent, news: NewEvent[]): void {
    const { meaning, position } = fold.take(event);
    if (meaning?.type === "end") end = meaning.end;
    if (meaning !== undefined && !(meaning.type === "progress" && connection.progressed)) dispatch(meaning);
    if (position === undefined) return;
    const info = { replayed: !connection.live, cursor: event.id ?? "" };
    news.push({ payload: event.data, position, info });
  }

  /** Also of a stream whose end was stored: whoever looks at it now may not know. */
  function tellEnd(): void {
    const told = end;
    if (told === undefined || finishedAt === fold.cursor()) return;
    finishedAt = fold.cursor();
    void callSafely(() => options.onEnd?.({ id, end: told, message: fold.view() }));
  }

  // Showing.

  function view(): StreamSessionState<TMessage> {
    return { id, ...shownOf(connection), message: fold.view(), cursor: fold.cursor() };
  }

  // Checkpoints.

  let checkpointTimer: ReturnType<typeof setTimeout> | undefined;

  function restore(): Promise<void> | undefined {
    const text = area.read("stream", id);
    const mark = area.read("mark", id);
    if (!isPromise(text) && !isPromise(mark)) return takeCheckpoint(text, mark);
    return Promise.all([text, mark]).then((found) => {
      restoring = undefined;
      takeCheckpoint(...found);
    });
  }

  /** What is done before the checkpoint is there would be undone by it. */
  function whenRestored(action: () => void): void {
    if (restoring === undefined) action();
    else void restoring.then(action);
  }

  function takeCheckpoint(text: string | null, mark: string | null): undefined {
    sideEffects.restore(mark);
    const checkpoint = readCheckpoint(protocol, text);
    if (checkpoint === undefined) return;
    try {
      fold = createSessionFold(protocol, checkpoint);
    } catch {
      // Of another version of the app: it is as if there were none.
      return;
    }
    end = checkpoint.end;
    connection = initialConnection(checkpoint);
    saved = checkpointText(null);
    commits.now();
  }

  function checkpointText(snapshot: JsonValue, cursor = fold.cursor()): string {
    const { started, stop } = connection;
    return writeCheckpoint(protocol, { cursor, snapshot, end, started, stopping: stop !== "none" });
  }

  /** Stores what has changed since it was stored, or restored. */
  async function saveCheckpoint(): Promise<void> {
    clearTimeout(checkpointTimer);
    checkpointTimer = undefined;
    const now = checkpointText(null);
    if (now === saved) return;
    saved = now;
    if (now === nothing) return area.write("stream", id, null);
    await area.write("stream", id, checkpointText(fold.snapshot()));
    // A wish to stop must not be lost because the answer is longer than the store takes.
    if (isStopSettled() || (await area.read("stream", id)) !== null || isStopSettled()) return;
    await area.write("stream", id, checkpointText(null, ""));
  }

  // Stopping.

  /** Who waits for it. */
  const stoppers: ((failure?: Failure) => void)[] = [];

  function settleStop(failure?: Failure): void {
    for (const settle of stoppers.splice(0)) settle(failure);
  }

  /** The server knows of the wish, or there is none: the stream has ended, or the server refused. */
  function isStopSettled(): boolean {
    return connection.stop === "none" || connection.stop === "accepted";
  }

  async function sendStop(): Promise<void> {
    try {
      const url = streamUrl(endpoint, id, "/stop");
      const response = await sendRequest(url, { method: "POST", keepalive: true }, options);
      await assertOk(response);
      await response.body?.cancel();
      dispatch({ type: "stop-accepted" });
    } catch (error) {
      dispatch({ type: "stop-failed", failure: requestErrorOf(error) });
    }
  }

  return {
    id,
    getState: store.getState,
    isWanted: interest.isWanted,
    subscribe(listener) {
      // One that fails must not keep the others from being told.
      const unsubscribe = store.subscribe(() => void callSafely(listener));
      const unwant = wantConnection();
      return () => {
        unsubscribe();
        unwant();
      };
    },
    connect: wantConnection,
    onEvent: sideEffects.add,
    expectStart: () => prompt({ type: "start" }),
    async start(send) {
      const unwant = interest.want();
      try {
        prompt({ type: "start" });
        await restoring;
        await saveCheckpoint();
        if (connection.phase === "starting") {
          await new Promise<void>((resolve, reject) => void read(send, resolve).catch(reject));
        } else if (!isThere(connection.phase)) {
          // It was let go meanwhile, or the network was.
          throw requestErrorOf(undefined);
        }
      } finally {
        unwant();
      }
    },
    stop() {
      const stopped = new Promise<void>((resolve, reject) => {
        // It is seen through, whoever is looking.
        const unwant = wantConnection();
        stoppers.push((failure) => {
          unwant();
          if (failure === undefined) resolve();
          else reject(failure);
        });
      });
      // It need not be awaited: a refusal is in the state, too.
      stopped.catch(() => {});
      whenRestored(() => {
        dispatch({ type: "stop" });
        if (isStopSettled()) settleStop();
      });
      return stopped;
    },
    retry: () => prompt({ type: "retry" }),
    dispose: interest.release,
  };
}
