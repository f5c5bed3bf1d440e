/** The connection of one stream: its states, what happens to them, and what users see of them. */
import { DEFAULT_HEARTBEAT_MS, type EndStatus, type PublicError, type StreamEnd } from "../shared/wire.ts";
import type { Checkpoint } from "./checkpoints/checkpoint.ts";
import type { Failure } from "./failure.ts";

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

/** Where the connection is. A stream that has ended is where it ended. */
export type Phase =
  /** Nobody wants it, or nobody does yet. */
  | "idle"
  /** The request that starts the stream is under way; it is given up at the deadline. Others may overtake it. */
  | "starting"
  /** A request is under way; it is given up at the deadline. */
  | "connecting"
  /** A response is being read. Without a byte until the deadline it counts as cut. */
  | "open"
  /** The next attempt begins at the deadline. */
  | "waiting"
  | "offline"
  /** The page is hidden away, in the back-forward cache perhaps, and holds no connection. */
  | "hidden"
  | EndStatus;

/** Where the wish to stop is. */
export type StopPhase =
  | "none"
  /** Given up at its deadline, and sent again later. */
  | "sending"
  /** Sent again at its deadline. */
  | "waiting"
  /** The server knows it; the stream's end is on its way. */
  | "accepted";

/** The machine's state. */
export interface ConnectionState {
  readonly phase: Phase;
  /** `Infinity` where the phase has none. */
  readonly deadline: number;
  /** When the last response came; 0 before the first. */
  readonly openedAt: number;
  /** Whether it has reached what is live. */
  readonly live: boolean;
  /** Whether it brought an event that was new. */
  readonly progressed: boolean;
  /** Of a stream that has ended: whether there is nothing to stop. The server said so; other ends are guesses. */
  readonly over: boolean;
  readonly stop: StopPhase;
  readonly stopDeadline: number;
  /** Attempts that failed in a row. */
  readonly attempt: number;
  readonly stopAttempt: number;
  /** Whether it was started here, and nobody knows yet that there is none. */
  readonly started: boolean;
  /** Until when a stream that is missing is believed to be there soon; `Infinity` until it is first missing, 0 for not. */
  readonly expectedUntil: number;
  readonly heartbeatMs: number;
  readonly error: PublicError | null;
}

/** What happens to a connection. What a response tells (progress, live, end, closed, gap) it tells while it is open. */
export type ConnectionEvent =
  /** Somebody wants the stream. */
  | { readonly type: "connect" }
  /** The request that starts the stream is being sent. Its response is a connection; a refusal means that there is none. */
  | { readonly type: "start" }
  /** Nobody wants it any more. */
  | { readonly type: "disconnect" }
  /** A response came, or more of it. */
  | { readonly type: "activity" }
  /** An event came that was new. */
  | { readonly type: "progress" }
  | { readonly type: "live"; readonly heartbeatMs: number }
  | { readonly type: "end"; readonly end: StreamEnd }
  /** The response ended without the stream's end. */
  | { readonly type: "closed" }
  /** An event came that cannot follow the one before. */
  | { readonly type: "gap" }
  | { readonly type: "failed"; readonly failure: Failure }
  | { readonly type: "timer" }
  | { readonly type: "online" }
  | { readonly type: "offline" }
  /** The page is looked at again. */
  | { readonly type: "visible" }
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

/** The state of a session that was just made, perhaps from a checkpoint. */
export function initialConnection({
  end,
  cursor = "",
  started = false,
  stopping = false,
}: Partial<Checkpoint> = {}): ConnectionState {
  const isStopping = stopping && end === undefined;
  return {
    phase: end?.status ?? "idle",
    deadline: Infinity,
    openedAt: 0,
    live: false,
    progressed: false,
    over: end !== undefined,
    stop: isStopping ? "waiting" : "none",
    // It is sent as soon as somebody wants the stream.
    stopDeadline: isStopping ? 0 : Infinity,
    attempt: 0,
    stopAttempt: 0,
    started,
    expectedUntil: started || cursor !== "" ? Infinity : 0,
    heartbeatMs: DEFAULT_HEARTBEAT_MS,
    error: end?.error ?? null,
  };
}

/** What users see of a connection. */
export interface ShownConnection {
  readonly status: ClientStatus;
  /** Why the stream ended, or why the connection is being tried again; `null` when all is well. */
  readonly error: PublicError | null;
  /** Whether stored events are being read, before the live ones. */
  readonly isReplaying: boolean;
  /** Whether somebody pressed stop, and the server did not yet say that the stream has ended, or that it will not stop it. */
  readonly isStopping: boolean;
  /** Attempts that failed in a row; 0 while it is well. */
  readonly attempt: number;
  /** When the next attempt begins, in milliseconds of `Date.now()`; `null` when none is planned. */
  readonly nextRetryAt: number | null;
}

/** What users see of a state. */
export function shownOf(state: ConnectionState): ShownConnection {
  const status = clientStatusOf(state);
  return {
    status,
    error: state.error,
    isReplaying: status === "replaying",
    isStopping: state.stop !== "none",
    // The machine counts on: a connection that breaks at once has not worked.
    attempt: status === "streaming" ? 0 : state.attempt,
    nextRetryAt: state.phase === "waiting" ? state.deadline : null,
  };
}

/** The status that users see. */
export function clientStatusOf({ phase, live, openedAt, attempt }: ConnectionState): ClientStatus {
  if (phase === "open") return live ? "streaming" : "replaying";
  if (phase === "connecting" || phase === "starting")
    return openedAt + attempt > 0 ? "reconnecting" : "connecting";
  return phase === "waiting" || phase === "hidden" ? "reconnecting" : phase;
}

/** Whether the stream is there for sure: to start it again would change nothing. */
export function isThere(phase: Phase): boolean {
  return phase === "open" || phase === "done" || phase === "stopped";
}

/** Whether nothing is sent before a sign from outside: nobody wants it, or no request has a chance. */
export function isAtRest(phase: Phase): boolean {
  return phase === "idle" || phase === "offline";
}

/** When the machine wants to be woken; `Infinity` for never. */
export function deadlineOf({ phase, deadline, stopDeadline }: ConnectionState): number {
  return isAtRest(phase) ? Infinity : Math.min(deadline, stopDeadline);
}
