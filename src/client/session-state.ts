/**
 * The connection of one stream as a pure machine: (state, event, now) gives the next state and what to do. The session
 * performs; it decides nothing. Times are milliseconds of the clock that is passed in.
 *
 * Deadlines are part of the state, not actions: the session wakes the machine with `timer` when one has come.
 */
import { publicMessageOf, type StreamErrorCode } from "../shared/errors.ts";
import { DEFAULT_HEARTBEAT_MS, type EndStatus, type PublicError, type StreamEnd } from "../shared/wire.ts";
import { backoffMs } from "./retry.ts";

/** What a user of the client sees of a stream. */
export type ClientStatus =
  | "idle"
  | "connecting"
  | "replaying"
  | "streaming"
  | "reconnecting"
  | "offline"
  | "done"
  | "error"
  | "stopped"
  | "missing";

/** Where the connection is. */
export type Phase =
  /** Nobody wants it, or nobody does yet. */
  | { readonly name: "idle" }
  /** A request is under way; it is given up at `deadline`. */
  | { readonly name: "connecting"; readonly deadline: number }
  /** A response is being read. Without a byte until `deadline` it counts as cut. */
  | {
      readonly name: "open";
      readonly openedAt: number;
      readonly deadline: number;
      readonly live: boolean;
      /** Whether it brought an event that was new. */
      readonly progressed: boolean;
    }
  /** The next attempt begins at `deadline`. */
  | { readonly name: "waiting"; readonly deadline: number }
  | { readonly name: "offline" }
  /** The page is hidden away, in the back-forward cache perhaps, and holds no connection. */
  | { readonly name: "hidden" }
  | { readonly name: "ended"; readonly status: EndStatus };

/** Where the wish to stop is. */
export type StopPhase =
  | { readonly name: "none" }
  /** Given up at `deadline`, and sent again later. */
  | { readonly name: "sending"; readonly deadline: number }
  | { readonly name: "waiting"; readonly deadline: number }
  /** The server knows it; the stream's end is on its way. */
  | { readonly name: "accepted" };

/** The machine's state. */
export interface ConnectionState {
  readonly phase: Phase;
  readonly stop: StopPhase;
  /** Attempts that failed in a row. */
  readonly attempt: number;
  readonly stopAttempt: number;
  /** Whether there was a connection before, in this session. */
  readonly known: boolean;
  /** Whether a stream that is not there may just not be there yet. */
  readonly expected: boolean;
  /** Until when that is believed; counted from the first time it was missing. */
  readonly expectedUntil: number | null;
  /** Whether `headers` were asked again after a 401. */
  readonly reauthorized: boolean;
  readonly heartbeatMs: number;
  readonly error: PublicError | null;
}

/** Why a connection or a request failed. */
export type Failure =
  /** Nothing was answered, or the response broke off. */
  | { readonly kind: "network" }
  /** Something was answered that is not of this protocol. */
  | { readonly kind: "bad-response" }
  /** An HTTP status other than 200, with the server's code where it gave one. */
  | {
      readonly kind: "http";
      readonly status: number;
      readonly error: PublicError;
      /** `Retry-After`, in milliseconds. */
      readonly retryAfterMs: number | null;
    };

/** What happens to a connection. */
export type ConnectionEvent =
  /** Somebody wants the stream. */
  | { readonly type: "connect"; readonly online: boolean }
  /** A request that starts the stream is being sent; its response is the first connection. */
  | { readonly type: "start" }
  /** Nobody wants it any more. */
  | { readonly type: "disconnect" }
  | { readonly type: "opened" }
  /** A byte came. */
  | { readonly type: "activity" }
  /** An event came that was new. */
  | { readonly type: "progress" }
  | { readonly type: "live"; readonly heartbeatMs: number }
  | { readonly type: "end"; readonly end: StreamEnd }
  /** The response ended without the stream's end. */
  | { readonly type: "closed" }
  /** An event came that cannot follow the one before. */
  | { readonly type: "gap" }
  | { readonly type: "failed"; readonly failure: Failure; readonly online: boolean }
  /** The request that should start the stream was refused for good: there is none. */
  | { readonly type: "refused"; readonly failure: Failure; readonly online: boolean }
  | { readonly type: "timer"; readonly online: boolean }
  | { readonly type: "online" }
  | { readonly type: "offline" }
  /** The page is looked at again. */
  | { readonly type: "visible"; readonly online: boolean }
  /** The page goes away, perhaps to come back. */
  | { readonly type: "hide" }
  | { readonly type: "stop" }
  | { readonly type: "stop-accepted" }
  | { readonly type: "stop-failed"; readonly failure: Failure }
  /** The user asks for another attempt. */
  | { readonly type: "retry" };

/** What the session is to do. */
export type ConnectionAction = "open" | "abort" | "send-stop";

/** A state, and what to do on the way to it. */
export interface Step {
  readonly state: ConnectionState;
  readonly actions: readonly ConnectionAction[];
}

/** Milliseconds that a request may take to be answered. */
export const ANSWER_TIMEOUT_MS = 20_000;
/** Milliseconds that a request to start may take: the app's route may have work to do before it answers. */
export const START_TIMEOUT_MS = 60_000;
/** Milliseconds that a stream which was just started may be missing. */
export const EXPECTED_FOR_MS = 30_000;
/** Announced intervals without a byte that make a cut. */
export const MISSED_HEARTBEATS = 3;
/** A connection that lasted this long has worked, whatever it brought. */
const WORKED_MS = 10_000;

/** Where a session begins. */
export interface InitialConnection {
  /** The end that a checkpoint knows. */
  readonly end?: StreamEnd | undefined;
  /** Whether the stream was started here, or was live when it was last seen. */
  readonly expected: boolean;
  /** Whether it was being stopped. */
  readonly stopping: boolean;
}

/** The state of a session that was just made. */
export function initialConnection(initial: InitialConnection): ConnectionState {
  return {
    phase: initial.end === undefined ? { name: "idle" } : { name: "ended", status: initial.end.status },
    // It is sent as soon as somebody wants the stream.
    stop: initial.stopping && initial.end === undefined ? { name: "waiting", deadline: 0 } : { name: "none" },
    attempt: 0,
    stopAttempt: 0,
    known: false,
    expected: initial.expected,
    expectedUntil: null,
    reauthorized: false,
    heartbeatMs: DEFAULT_HEARTBEAT_MS,
    error: initial.end?.error ?? null,
  };
}

/** What users see of a state. */
export function clientStatusOf({ phase, known, attempt }: ConnectionState): ClientStatus {
  switch (phase.name) {
    case "ended":
      return phase.status;
    case "connecting":
      return known || attempt > 0 ? "reconnecting" : "connecting";
    case "open":
      return phase.live ? "streaming" : "replaying";
    case "waiting":
    case "hidden":
      return "reconnecting";
    default:
      return phase.name;
  }
}

/** When the next attempt begins; `null` when none is planned. */
export function nextRetryAtOf({ phase }: ConnectionState): number | null {
  return phase.name === "waiting" ? phase.deadline : null;
}

/** When the machine wants to be woken; `null` for never. */
export function deadlineOf({ phase, stop }: ConnectionState): number | null {
  const connection = "deadline" in phase ? phase.deadline : Infinity;
  const stopping = "deadline" in stop && phase.name !== "idle" ? stop.deadline : Infinity;
  const deadline = Math.min(connection, stopping);
  return deadline === Infinity ? null : deadline;
}

/**
 * One step of the machine.
 *
 * @param random from 0 up to 1, for the jitter of retries.
 */
export function stepConnection(
  state: ConnectionState,
  event: ConnectionEvent,
  now: number,
  random: number,
): Step {
  switch (event.type) {
    case "connect":
      return state.phase.name === "idle" ? withStop(begin(state, event.online, now), now) : stay(state);
    case "start":
      return {
        state: {
          ...state,
          phase: { name: "connecting", deadline: now + START_TIMEOUT_MS },
          expected: true,
          error: null,
        },
        actions: [],
      };
    case "disconnect":
      return state.phase.name === "ended" ? stay(state) : leave(state, { name: "idle" });
    case "opened":
      return state.phase.name === "connecting" ? stay(opened(state, now)) : stay(state);
    case "activity":
      return stay(
        onOpen(state, (phase) => ({ ...phase, deadline: now + MISSED_HEARTBEATS * state.heartbeatMs })),
      );
    case "progress":
      return stay(
        // What was there once and is not any more may be on its way back.
        onOpen({ ...state, attempt: 0, expected: true, expectedUntil: null }, (phase) => ({
          ...phase,
          progressed: true,
        })),
      );
    case "live":
      return stay(
        onOpen({ ...state, heartbeatMs: event.heartbeatMs }, (phase) => ({
          ...phase,
          live: true,
          deadline: now + MISSED_HEARTBEATS * event.heartbeatMs,
        })),
      );
    case "end":
      return stay(ended(state, event.end));
    case "closed":
      return state.phase.name === "open" ? cut(state, state.phase, null, now, random) : stay(state);
    case "gap":
      return state.phase.name === "open" ? withAbort(retry(state, NETWORK, null, now, random)) : stay(state);
    case "failed":
      return isBusy(state) ? failed(state, event.failure, event.online, now, random) : stay(state);
    case "refused":
      return event.failure.kind === "http"
        ? stay(failedForGood(state, "error", event.failure.error))
        : stay(state);
    case "timer":
      return withStop(timer(stopTimer(state, now, random), event.online, now, random), now);
    case "online":
    case "visible":
      return event.type === "visible" && !event.online ? stay(state) : wake(state, now, random);
    case "offline":
      return isBusy(state) || state.phase.name === "waiting"
        ? leave(state, { name: "offline" })
        : stay(state);
    case "hide":
      return isBusy(state) || state.phase.name === "waiting" ? leave(state, { name: "hidden" }) : stay(state);
    case "stop":
      return stop(state, now);
    case "stop-accepted":
      return stopAccepted(state, now);
    case "stop-failed":
      return stay(stopFailed(state, event.failure, now, random));
    case "retry":
      return again(state, now);
  }
}

const NETWORK: PublicError = { code: "network", message: publicMessageOf("network") };

function stay(state: ConnectionState): Step {
  return { state, actions: [] };
}

function connecting(now: number): Phase {
  return { name: "connecting", deadline: now + ANSWER_TIMEOUT_MS };
}

function begin(state: ConnectionState, online: boolean, now: number): Step {
  if (!online) return stay({ ...state, phase: { name: "offline" } });
  return { state: { ...state, phase: connecting(now) }, actions: ["open"] };
}

function opened(state: ConnectionState, now: number): ConnectionState {
  const deadline = now + MISSED_HEARTBEATS * state.heartbeatMs;
  const phase: Phase = { name: "open", openedAt: now, deadline, live: false, progressed: false };
  return { ...state, phase, known: true, reauthorized: false, error: null };
}

type OpenPhase = Extract<Phase, { name: "open" }>;

function onOpen(state: ConnectionState, change: (phase: OpenPhase) => OpenPhase): ConnectionState {
  return state.phase.name === "open" ? { ...state, phase: change(state.phase) } : state;
}

function isBusy({ phase }: ConnectionState): boolean {
  return phase.name === "connecting" || phase.name === "open";
}

function leave(state: ConnectionState, phase: Phase): Step {
  return { state: { ...state, phase }, actions: isBusy(state) ? ["abort"] : [] };
}

function ended(state: ConnectionState, end: StreamEnd): ConnectionState {
  const phase: Phase = { name: "ended", status: end.status };
  return {
    ...state,
    phase,
    stop: { name: "none" },
    attempt: 0,
    expectedUntil: null,
    error: end.error ?? null,
  };
}

function failedForGood(state: ConnectionState, status: EndStatus, error: PublicError): ConnectionState {
  return ended(state, { status, error });
}

/** A response that ended, or fell silent. One that brought something new, or lasted, is taken up again at once. */
function cut(
  state: ConnectionState,
  phase: OpenPhase,
  error: PublicError | null,
  now: number,
  random: number,
): Step {
  if (phase.progressed || now - phase.openedAt >= WORKED_MS) {
    return { state: { ...state, phase: connecting(now), attempt: 0, error }, actions: ["open"] };
  }
  return retry(state, error, null, now, random);
}

function retry(
  state: ConnectionState,
  error: PublicError | null,
  retryAfterMs: number | null,
  now: number,
  random: number,
): Step {
  const attempt = state.attempt + 1;
  // A server may ask for a longer pause, but not for none.
  const deadline = now + Math.max(retryAfterMs ?? 0, backoffMs(attempt, random));
  return stay({ ...state, phase: { name: "waiting", deadline }, attempt, error });
}

function failed(
  state: ConnectionState,
  failure: Failure,
  online: boolean,
  now: number,
  random: number,
): Step {
  if (failure.kind === "http") return refused(state, failure, now, random);
  const code: StreamErrorCode = failure.kind;
  const error: PublicError = { code, message: publicMessageOf(code) };
  if (!online) return stay({ ...state, phase: { name: "offline" }, error });
  return state.phase.name === "open"
    ? cut(state, state.phase, error, now, random)
    : retry(state, error, null, now, random);
}

/** Statuses of a request that may be repeated: timeout, too early, too many. All other 4xx end the stream here. */
const REPEATABLE = new Set([408, 425, 429]);

/** Whether a failure stays one, however often the request is sent. */
export function isFinal(failure: Failure): boolean {
  return (
    failure.kind === "http" &&
    failure.status >= 400 &&
    failure.status < 500 &&
    !REPEATABLE.has(failure.status)
  );
}

function refused(
  state: ConnectionState,
  failure: Extract<Failure, { kind: "http" }>,
  now: number,
  random: number,
): Step {
  const { status, error, retryAfterMs } = failure;
  if (status === 401 && !state.reauthorized) {
    return { state: { ...state, phase: connecting(now), reauthorized: true, error }, actions: ["open"] };
  }
  if (status === 404) {
    const until = state.expectedUntil ?? now + EXPECTED_FOR_MS;
    if (!state.expected || now >= until) return stay(failedForGood(state, "missing", error));
    return retry({ ...state, expectedUntil: until }, error, retryAfterMs, now, random);
  }
  if (status >= 400 && status < 500 && !REPEATABLE.has(status))
    return stay(failedForGood(state, "error", error));
  return retry(state, error, retryAfterMs, now, random);
}

function timer(state: ConnectionState, online: boolean, now: number, random: number): Step {
  const { phase } = state;
  if (!("deadline" in phase) || now < phase.deadline) return stay(state);
  if (phase.name === "waiting") return begin(state, online, now);
  // Nothing came for too long. The old connection must be gone before there is a new one.
  return withAbort(
    phase.name === "open"
      ? cut(state, phase, NETWORK, now, random)
      : retry(state, NETWORK, null, now, random),
  );
}

function withAbort({ state, actions }: Step): Step {
  return { state, actions: ["abort", ...actions] };
}

/** A sign that a request may work now: what waits begins at once, and what slept through its deadline is cut. */
function wake(state: ConnectionState, now: number, random: number): Step {
  switch (state.phase.name) {
    case "waiting":
    case "offline":
    case "hidden":
      return withStop(begin({ ...state, attempt: 0 }, true, now), now);
    default:
      return timer(state, true, now, random);
  }
}

function again(state: ConnectionState, now: number): Step {
  switch (state.phase.name) {
    case "ended":
      if (state.phase.status === "done" || state.phase.status === "stopped") return stay(state);
      break;
    case "connecting":
    case "open":
      return stay(state);
  }
  return begin({ ...state, attempt: 0, reauthorized: false, expectedUntil: null }, true, now);
}

// Stopping.

function stop(state: ConnectionState, now: number): Step {
  if (state.phase.name === "ended" || state.stop.name === "sending" || state.stop.name === "accepted")
    return stay(state);
  return { state: { ...state, stop: sending(now), stopAttempt: 0 }, actions: ["send-stop"] };
}

function sending(now: number): StopPhase {
  return { name: "sending", deadline: now + ANSWER_TIMEOUT_MS };
}

/** A stop that is not answered has failed. */
function stopTimer(state: ConnectionState, now: number, random: number): ConnectionState {
  const isLate = state.stop.name === "sending" && now >= state.stop.deadline;
  return isLate ? stopFailed(state, { kind: "network" }, now, random) : state;
}

/** Sends a stop whose time has come, along with what else is done. */
function withStop({ state, actions }: Step, now: number): Step {
  if (state.stop.name !== "waiting" || now < state.stop.deadline) return { state, actions };
  return { state: { ...state, stop: sending(now) }, actions: [...actions, "send-stop"] };
}

function stopAccepted(state: ConnectionState, now: number): Step {
  if (state.stop.name === "none") return stay(state);
  const accepted: ConnectionState = { ...state, stop: { name: "accepted" } };
  // What was written is whole only with the stream's end, so that is read now, and not after a pause.
  return state.phase.name === "waiting" ? begin(accepted, true, now) : stay(accepted);
}

function stopFailed(state: ConnectionState, failure: Failure, now: number, random: number): ConnectionState {
  if (state.stop.name !== "sending") return state;
  const stopAttempt = state.stopAttempt + 1;
  const retryAfterMs = failure.kind === "http" ? (failure.retryAfterMs ?? 0) : 0;
  const waitMs = Math.max(retryAfterMs, backoffMs(stopAttempt, random));
  const waiting: ConnectionState = {
    ...state,
    stopAttempt,
    stop: { name: "waiting", deadline: now + waitMs },
  };
  if (failure.kind !== "http" || !isFinal(failure)) return waiting;
  // It overtook the request that starts the stream.
  const until = state.expectedUntil ?? now + EXPECTED_FOR_MS;
  if (failure.status === 404 && state.expected && now < until) return { ...waiting, expectedUntil: until };
  return { ...state, stop: { name: "none" }, error: failure.error };
}
