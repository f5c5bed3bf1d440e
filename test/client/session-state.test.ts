/** The connection machine: every state with every event, by the table beside it. */
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { failureWith, type Failure } from "../../src/client/failure.ts";
import { backoffMs, parseRetryAfter } from "../../src/client/retry.ts";
import {
  clientStatusOf,
  deadlineOf,
  initialConnection,
  shownOf,
  type ConnectionEvent,
  type ConnectionState,
  type Step,
} from "../../src/client/connection.ts";
import { stepConnection } from "../../src/client/session-state.ts";
import type { PublicError } from "../../src/shared/wire.ts";
import { stopTable } from "./session-state-stop-table.ts";
import { table as ownTable } from "./session-state-table.ts";

const NOW = 1_000_000;
const error: PublicError = { code: "http-error", message: "refused" };
const http = (status: number, retryAfterMs = 0): Failure => ({ ...error, status, retryAfterMs });
const network = failureWith("network");
const fresh = initialConnection();

/** The states, by name. */
const states: Readonly<Record<string, ConnectionState>> = {
  idle: fresh,
  starting: { ...fresh, phase: "starting", deadline: NOW + 60_000, started: true, expectedUntil: Infinity },
  connecting: { ...fresh, phase: "connecting", deadline: NOW + 20_000 },
  "connecting, expected": { ...fresh, phase: "connecting", deadline: NOW + 20_000, expectedUntil: Infinity },
  /** It has just been opened, and brought nothing. */
  open: { ...fresh, phase: "open", openedAt: NOW, deadline: NOW + 45_000 },
  /** It brought something. */
  worked: { ...fresh, phase: "open", openedAt: NOW, deadline: NOW + 45_000, live: true, progressed: true },
  waiting: { ...fresh, openedAt: NOW - 60_000, attempt: 3, phase: "waiting", deadline: NOW + 500 },
  offline: { ...fresh, openedAt: NOW - 60_000, phase: "offline" },
  hidden: { ...fresh, openedAt: NOW - 60_000, phase: "hidden" },
  done: { ...fresh, phase: "done", over: true },
  stopped: { ...fresh, phase: "stopped", over: true },
  "failed, by the server's word": { ...fresh, phase: "error", over: true, error },
  failed: { ...fresh, phase: "error", error },
  missing: { ...fresh, phase: "missing", error: { code: "missing", message: "refused" } },
};
const { starting = fresh, worked = fresh, waiting = fresh, failed = fresh } = states;
const { idle = fresh, connecting = fresh, offline = fresh, hidden = fresh } = states;
/** Where a wish to stop may be. */
const wishes = {
  sending: { stop: "sending", stopDeadline: NOW + 20_000 },
  waiting: { stop: "waiting", stopDeadline: NOW + 500, stopAttempt: 2 },
  accepted: { stop: "accepted" },
} as const;
const stopStates: typeof states = {
  "worked, stop sending": { ...worked, ...wishes.sending },
  "worked, stop waiting": { ...worked, ...wishes.waiting },
  "worked, stop accepted": { ...worked, ...wishes.accepted },
  "failed, stop sending": { ...failed, ...wishes.sending },
  "waiting, stop sending": { ...waiting, ...wishes.sending },
  "starting, stop sending": { ...starting, ...wishes.sending },
  "starting, stop waiting": { ...starting, ...wishes.waiting },
  "idle, stop waiting": { ...idle, ...wishes.waiting },
  "connecting, stop waiting": { ...connecting, ...wishes.waiting },
  "offline, stop sending": { ...offline, ...wishes.sending },
  "offline, stop waiting": { ...offline, ...wishes.waiting },
  "hidden, stop sending": { ...hidden, ...wishes.sending },
  "hidden, stop waiting": { ...hidden, ...wishes.waiting },
  "waiting, stop waiting": { ...waiting, ...wishes.waiting },
  "waiting, stop accepted": { ...waiting, ...wishes.accepted },
  "failed, stop waiting": { ...failed, ...wishes.waiting },
};
const allStates = { ...states, ...stopStates };
const table = { ...ownTable, ...stopTable };

/** The events, by name. */
const events: Readonly<Record<string, ConnectionEvent>> = {
  connect: { type: "connect" },
  "connect, offline": { type: "connect" },
  start: { type: "start" },
  disconnect: { type: "disconnect" },
  activity: { type: "activity" },
  progress: { type: "progress" },
  live: { type: "live", heartbeatMs: 1_000 },
  end: { type: "end", end: { status: "done" } },
  "end with an error": { type: "end", end: { status: "error", error } },
  closed: { type: "closed" },
  gap: { type: "gap" },
  "network failure": { type: "failed", failure: network },
  "network failure, offline": { type: "failed", failure: network },
  "400": { type: "failed", failure: http(400) },
  "401": { type: "failed", failure: http(401) },
  "404": { type: "failed", failure: http(404) },
  "408": { type: "failed", failure: http(408) },
  "429": { type: "failed", failure: http(429, 7_000) },
  "503": { type: "failed", failure: http(503) },
  timer: { type: "timer" },
  "timer, late": { type: "timer" },
  "timer, late, offline": { type: "timer" },
  online: { type: "online" },
  "online, offline": { type: "online" },
  offline: { type: "offline" },
  visible: { type: "visible" },
  "visible, offline": { type: "visible" },
  hide: { type: "hide" },
  stop: { type: "stop" },
  "stop accepted": { type: "stop-accepted" },
  "stop failed, network": { type: "stop-failed", failure: network },
  "stop failed, 403": { type: "stop-failed", failure: http(403) },
  "stop failed, 404": { type: "stop-failed", failure: http(404) },
  "stop failed, 503": { type: "stop-failed", failure: http(503, 7_000) },
  retry: { type: "retry" },
};

const OF_A_RESPONSE: readonly string[] = ["progress", "live", "end", "closed", "gap"];

/** Every deadline has passed by then. */
const LATE = NOW + 60_000;

/** When an event happens. */
const timeOf = (name: string): number => (name.includes("late") ? LATE : NOW);

/** What an event does to a state. */
function stepOf(state: ConnectionState, name: string): Step {
  const event = events[name];
  if (event === undefined) throw new Error(`No such event: ${name}`);
  return stepConnection(state, event, timeOf(name), 0.5, !name.endsWith(", offline"));
}

/** The same, in the words of the table. */
function told(state: ConnectionState, name: string): string {
  const now = timeOf(name);
  const step = stepOf(state, name);
  if (step.actions.length === 0 && isDeepStrictEqual(step.state, state)) return "·";
  const before = shownOf(state);
  const after = shownOf(step.state);
  const facts = [
    after.status,
    ...(step.state.stop === state.stop ? [] : [`stop ${step.state.stop}`]),
    ...(after.attempt === before.attempt ? [] : [`attempt ${after.attempt}`]),
    ...(after.nextRetryAt === null ? [] : [`in ${after.nextRetryAt - now}`]),
    ...(after.error === before.error ? [] : [after.error?.message ?? "no error"]),
  ].join(", ");
  return step.actions.length === 0 ? facts : `${facts}: ${step.actions.join(" ")}`;
}

describe("the connection machine", () => {
  const cases = Object.entries(allStates).flatMap(([state, { phase }]) =>
    Object.entries(events)
      // What a response tells, it tells while it is open.
      .filter(([, { type }]) => phase === "open" || !OF_A_RESPONSE.includes(type))
      .map(([event]) => [event, state] as const),
  );

  it("has a row for every state, and none for an event that there is not", () => {
    expect(Object.keys(table)).toEqual(Object.keys(allStates));
    const named = Object.values(table).flatMap((row) => Object.keys(row));
    expect(named.filter((name) => !(name in events))).toEqual([]);
  });

  it.each(cases)("%s while %s", (eventName, stateName) => {
    const state = allStates[stateName];
    if (state === undefined) throw new Error("no state");
    expect(told(state, eventName)).toBe(table[stateName]?.[eventName] ?? "·");
  });

  /** What a step does to the connection, whatever becomes of the stop. */
  const connectionOf = ({ state, actions }: Step): unknown => ({
    state: { ...state, stop: "none", stopDeadline: 0, stopAttempt: 0 },
    actions: actions.filter((action) => action !== "send-stop"),
  });

  it.each(Object.keys(wishes))("does the same for a connection, be a stop %s or not", (stop) => {
    const wish = Object.entries(wishes).find(([name]) => name === stop)?.[1];
    const others = cases.filter(([event, state]) => state in states && !event.startsWith("stop"));
    expect(others.length).toBeGreaterThan(300);
    for (const [event, name] of others) {
      const state = states[name] ?? fresh;
      const stopping = stepOf({ ...state, ...wish }, event);
      expect(connectionOf(stopping), `${event} while ${name}`).toEqual(connectionOf(stepOf(state, event)));
    }
  });
});

describe("deadlines", () => {
  it("turn a request that is not answered, and a silent connection, into a cut", () => {
    const { connecting, open: opened } = states;
    if (connecting === undefined || opened === undefined) throw new Error("no state");
    const late = stepConnection(connecting, { type: "timer" }, NOW + 20_000, 0.5, true);
    expect(late).toMatchObject({ state: { phase: "waiting", attempt: 1 }, actions: ["abort"] });
    const silent = stepConnection(opened, { type: "timer" }, NOW + 45_000, 0.5, true);
    // It had lasted, so it is taken up again at once.
    expect(silent).toMatchObject({ state: { phase: "connecting" }, actions: ["abort", "open"] });
  });

  it("of three announced intervals move on with every sign of life", () => {
    const live = stepConnection(
      states["open"] ?? fresh,
      { type: "live", heartbeatMs: 2_000 },
      NOW,
      0,
      true,
    ).state;
    expect(deadlineOf(live)).toBe(NOW + 6_000);
    expect(deadlineOf(stepConnection(live, { type: "activity" }, NOW + 100, 0, true).state)).toBe(
      NOW + 6_100,
    );
  });

  it("begin the next attempt, unless the page is offline by then", () => {
    const waiting = states["waiting"] ?? fresh;
    expect(stepConnection(waiting, { type: "timer" }, NOW + 500, 0, true)).toMatchObject({
      actions: ["open"],
    });
    expect(clientStatusOf(stepConnection(waiting, { type: "timer" }, NOW + 500, 0, false).state)).toBe(
      "offline",
    );
  });
});

describe("attempts", () => {
  it("are counted until the connection works, and shown no longer than that", () => {
    const reopened: ConnectionState = { ...fresh, phase: "open", openedAt: NOW, attempt: 2 };
    expect(shownOf(reopened).attempt).toBe(2);
    const live = stepConnection(reopened, { type: "live", heartbeatMs: 1_000 }, NOW, 0, true).state;
    expect(shownOf(live).attempt).toBe(0);
    // One that breaks at once has not worked.
    expect(shownOf(stepConnection(live, { type: "closed" }, NOW, 0, true).state).attempt).toBe(3);
  });
});

describe("refusals", () => {
  const connecting = states["connecting"] ?? fresh;
  const fail = (state: ConnectionState, failure: Failure, now = NOW) =>
    stepConnection(state, { type: "failed", failure }, now, 0.5, true).state;

  it.each([408, 425, 429, 500, 502, 503])("with %d are repeated", (status) => {
    expect(fail(connecting, http(status)).phase).toBe("waiting");
  });

  it.each([400, 401, 403, 405, 409, 410, 422])("with %d are final", (status) => {
    expect(fail(connecting, http(status)).phase).toBe("error");
  });

  it("with 404 are waited out for 30 seconds where the stream was just started", () => {
    const first = fail({ ...connecting, expectedUntil: Infinity }, http(404));
    expect(first.phase).toBe("waiting");
    const later = { ...first, phase: connecting.phase, deadline: connecting.deadline };
    expect(fail(later, http(404), NOW + 29_000).phase).toBe("waiting");
    expect(fail(later, http(404), NOW + 30_000).phase).toBe("missing");
  });

  it("with 404 are waited out anew for a stream that is started again", () => {
    const missing = fail({ ...connecting, expectedUntil: Infinity }, http(404));
    const again = stepConnection(missing, { type: "start" }, NOW + 40_000, 0, true).state;
    const lost = fail(again, network, NOW + 41_000);
    const asked = stepConnection(lost, { type: "timer" }, lost.deadline, 0, true).state;
    expect(fail(asked, http(404), NOW + 42_000).phase).toBe("waiting");
  });

  it("keep Retry-After", () => {
    expect(fail(connecting, http(503, 7_000))).toMatchObject({ phase: "waiting", deadline: NOW + 7_000 });
  });
});

describe("a wish to stop", () => {
  const stopping = stepConnection(states["worked"] ?? fresh, { type: "stop" }, NOW, 0, true).state;

  it("is repeated after failures that may pass, and given up after others", () => {
    const failed = (failure: Failure, state = stopping) =>
      stepConnection(state, { type: "stop-failed", failure }, NOW, 0.5, true).state.stop;
    expect(failed(network)).toBe("waiting");
    expect(failed(http(503))).toBe("waiting");
    expect(failed(http(403))).toBe("none");
    expect(failed(http(404))).toBe("none");
    expect(failed(http(404), { ...stopping, expectedUntil: Infinity })).toBe("waiting");
  });

  it("is sent again when its time has come", () => {
    const waiting = stepConnection(stopping, { type: "stop-failed", failure: network }, NOW, 1, true).state;
    expect(stepConnection(waiting, { type: "timer" }, NOW + 10, 0, true).actions).toEqual([]);
    expect(stepConnection(waiting, { type: "timer" }, NOW + 250, 0, true).actions).toEqual(["send-stop"]);
  });

  it("that a reload interrupted is sent with the connection", () => {
    const restored = initialConnection({ started: true, stopping: true });
    expect(stepConnection(restored, { type: "connect" }, NOW, 0, true).actions).toEqual([
      "open",
      "send-stop",
    ]);
  });

  it("that a reload interrupted waits for the network where there is none", () => {
    const restored = initialConnection({ started: true, stopping: true });
    const { state, actions } = stepConnection(restored, { type: "connect" }, NOW, 0, false);
    expect([actions, deadlineOf(state)]).toEqual([[], Infinity]);
    expect(stepConnection(state, { type: "online" }, NOW, 0, true).actions).toEqual(["open", "send-stop"]);
  });

  it("is over with the stream's end", () => {
    const ended = stepConnection(stopping, { type: "end", end: { status: "stopped" } }, NOW, 0, true).state;
    expect(ended.stop).toBe("none");
  });
});

describe("pauses", () => {
  it("grow from 250 ms to 10 s, with full jitter, and are never nothing", () => {
    expect([1, 2, 3, 6, 7, 100].map((attempt) => backoffMs(attempt, 1))).toEqual([
      250, 500, 1_000, 8_000, 10_000, 10_000,
    ]);
    expect(backoffMs(7, 0.5)).toBe(5_000);
    expect(backoffMs(1, 0)).toBeGreaterThanOrEqual(50);
  });

  it("that a server asks for may be seconds or a date", () => {
    expect(parseRetryAfter("7", NOW)).toBe(7_000);
    expect(parseRetryAfter(new Date(NOW + 3_000).toUTCString(), NOW)).toBe(3_000);
    expect(parseRetryAfter(new Date(NOW - 3_000).toUTCString(), NOW)).toBe(0);
    expect(parseRetryAfter("soon", NOW)).toBe(0);
    expect(parseRetryAfter(null, NOW)).toBe(0);
    expect(parseRetryAfter("999999999", NOW)).toBe(3_600_000);
  });
});
