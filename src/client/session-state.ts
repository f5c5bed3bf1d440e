/**
 * The connection of one stream as a pure machine: (state, event, now) gives the next state and what to do. The session
 * performs; it decides nothing. Times are milliseconds of the clock that is passed in.
 *
 * Deadlines are part of the state, not actions: the session wakes the machine with `timer` when one has come.
 */
import { isEndStatus, type EndStatus, type PublicError } from "../shared/wire.ts";
import {
  isAtRest,
  isThere,
  type ConnectionAction,
  type ConnectionEvent,
  type ConnectionState,
  type Phase,
  type Step,
  type StopPhase,
} from "./connection.ts";
import { failureWith, isFinal, type Failure } from "./failure.ts";
import { backoffMs } from "./retry.ts";

/** Milliseconds that a request may take to be answered. */
export const ANSWER_TIMEOUT_MS = 20_000;
/** Milliseconds that a request to start may take: the app's route may have work to do before it answers. */
const START_TIMEOUT_MS = 60_000;
/** Milliseconds that a stream which was just started may be missing. */
const EXPECTED_FOR_MS = 30_000;
/** Announced intervals without a byte that make a cut. */
const MISSED_HEARTBEATS = 3;
/** A connection that lasted this long has worked, whatever it brought. */
const WORKED_MS = 10_000;

const NETWORK = failureWith("network");

/** What users see of a failure. */
function errorOf({ code, message }: Failure): PublicError {
  return { code, message };
}

/**
 * One step of the machine.
 *
 * @param random from 0 up to 1, for the jitter of retries.
 * @param online whether a request has a chance.
 */
export function stepConnection(
  state: ConnectionState,
  event: ConnectionEvent,
  now: number,
  random: number,
  online: boolean,
): Step {
  const { phase, stop } = state;
  const isBusy = phase === "starting" || phase === "connecting" || phase === "open";
  const next: { -readonly [Key in keyof ConnectionState]: ConnectionState[Key] } = { ...state };
  const actions: ConnectionAction[] = [];

  move();
  // A stop whose time has come goes along with whatever else is done.
  if (next.stop === "waiting" && now >= next.stopDeadline && !isAtRest(next.phase)) sendStop();
  return { state: next, actions };

  function move(): void {
    switch (event.type) {
      case "connect":
        if (phase === "idle") begin();
        return;
      case "start":
        // A request that is repeated, of which the first one arrived.
        if (isThere(phase)) return;
        leave("starting", now + START_TIMEOUT_MS);
        next.started = true;
        next.expectedUntil = Infinity;
        next.error = null;
        return;
      case "disconnect":
        if (!isEndStatus(phase)) leave("idle");
        return;
      case "activity":
        if (!isBusy) return;
        enter("open", silentAt());
        if (phase === "open") return;
        next.openedAt = now;
        next.live = next.progressed = false;
        next.error = null;
        return hastenStop();
      case "progress":
        next.progressed = true;
        next.attempt = 0;
        // What was there once and is not any more may be on its way back.
        next.expectedUntil = Infinity;
        return;
      case "live":
        next.live = true;
        next.heartbeatMs = event.heartbeatMs;
        next.deadline = silentAt();
        return;
      case "end":
        return end(event.end, true);
      case "closed":
        return cut(null);
      case "gap":
        actions.push("abort");
        return retry(errorOf(NETWORK));
      case "failed":
        if (isBusy) fail(event.failure);
        return;
      case "timer":
        if (stop === "sending" && now >= state.stopDeadline) failStop(NETWORK);
        return passDeadline();
      case "online":
      case "visible":
        if (online) wake();
        return;
      case "offline":
      case "hide":
        if (isBusy || phase === "waiting") leave(event.type === "hide" ? "hidden" : "offline");
        return;
      case "stop":
        if ((isEndStatus(phase) && next.over) || stop === "sending" || stop === "accepted") return;
        next.stopAttempt = 0;
        return sendStop();
      case "stop-accepted":
        if (stop === "none") return;
        enterStop(isEndStatus(phase) ? "none" : "accepted");
        // What was written is whole only with the stream's end, so that is read now, and not after a pause.
        if (phase === "waiting") open();
        return;
      case "stop-failed":
        return failStop(event.failure);
      case "retry":
        if (isBusy || isThere(phase)) return;
        next.attempt = 0;
        return open();
    }
  }

  function enter(to: Phase, deadline = Infinity): void {
    next.phase = to;
    next.deadline = deadline;
  }

  function open(): void {
    enter("connecting", now + ANSWER_TIMEOUT_MS);
    actions.push("open");
  }

  function begin(): void {
    if (online) open();
    else enter("offline");
  }

  function leave(to: Phase, deadline = Infinity): void {
    if (isBusy) actions.push("abort");
    enter(to, deadline);
  }

  function silentAt(): number {
    return now + MISSED_HEARTBEATS * next.heartbeatMs;
  }

  /** @param over whether that is the server's word, and there is nothing to stop. */
  function end(
    { status, error = null }: { status: EndStatus; error?: PublicError | null },
    over: boolean,
  ): void {
    enter(status);
    next.over = over;
    if (over || stop === "accepted") enterStop("none");
    next.attempt = 0;
    next.started = false;
    next.expectedUntil = 0;
    next.error = error;
  }

  /** A response that ended, or fell silent. One that brought something new, or lasted, is taken up again at once. */
  function cut(error: PublicError | null): void {
    if (!state.progressed && now - state.openedAt < WORKED_MS) return retry(error);
    next.attempt = 0;
    next.error = error;
    open();
  }

  function retry(error: PublicError | null, retryAfterMs = 0): void {
    next.attempt = state.attempt + 1;
    next.error = error;
    enter("waiting", pauseUntil(next.attempt, retryAfterMs));
  }

  /** A server may ask for a longer pause, but not for none. */
  function pauseUntil(attempt: number, retryAfterMs: number): number {
    return now + Math.max(retryAfterMs, backoffMs(attempt, random));
  }

  function fail(failure: Failure): void {
    const error = errorOf(failure);
    const isMissing = failure.status === 404 && phase !== "starting";
    if (isFinal(failure) && !(isMissing && mayAppear(failure))) {
      // Who may not read a stream may stop it nevertheless, unless it was not even started.
      end({ status: isMissing ? "missing" : "error", error }, phase === "starting");
    } else if (failure.status > 0) retry(error, failure.retryAfterMs);
    else if (!online) {
      next.error = error;
      enter("offline");
    } else if (phase === "open") cut(error);
    else retry(error);
  }

  /** Whether the stream is missing only for now: its start may be on the way, or be overtaken by what asked for it. */
  function mayAppear(failure: Failure): boolean {
    if (failure.status !== 404) return false;
    if (phase === "starting") return true;
    if (next.expectedUntil === Infinity) next.expectedUntil = now + EXPECTED_FOR_MS;
    return now < next.expectedUntil;
  }

  function passDeadline(): void {
    if (now < state.deadline) return;
    if (phase === "waiting") return begin();
    // Nothing came for too long. The old connection must be gone before there is a new one.
    actions.push("abort");
    fail(NETWORK);
  }

  /** A sign that a request may work now: what waits begins at once, and what slept through its deadline is cut. */
  function wake(): void {
    hastenStop();
    if (isBusy || phase === "idle" || isEndStatus(phase)) return passDeadline();
    next.attempt = 0;
    open();
  }

  function enterStop(to: StopPhase, deadline = Infinity): void {
    next.stop = to;
    next.stopDeadline = deadline;
  }

  function sendStop(): void {
    enterStop("sending", now + ANSWER_TIMEOUT_MS);
    actions.push("send-stop");
  }

  /** A stop that waits is sent at once where something says that requests work. */
  function hastenStop(): void {
    if (stop === "waiting") next.stopDeadline = now;
  }

  function failStop(failure: Failure): void {
    if (stop !== "sending") return;
    if (isFinal(failure) && !mayAppear(failure)) {
      next.error = errorOf(failure);
      return enterStop("none");
    }
    next.stopAttempt += 1;
    enterStop("waiting", pauseUntil(next.stopAttempt, failure.retryAfterMs));
  }
}
