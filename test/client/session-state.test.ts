/** The connection machine: every state with every event. */
import { describe, expect, it } from "vitest";
import { failureWith, type Failure } from "../../src/client/failure.ts";
import { backoffMs, parseRetryAfter } from "../../src/client/retry.ts";
import {
  clientStatusOf,
  deadlineOf,
  initialConnection,
  type ConnectionEvent,
  type ConnectionState,
} from "../../src/client/connection.ts";
import { stepConnection } from "../../src/client/session-state.ts";
import type { PublicError } from "../../src/shared/wire.ts";

const NOW = 1_000_000;
const error: PublicError = { code: "http-error", message: "no" };
const http = (status: number, retryAfterMs = 0): Failure => ({ ...error, status, retryAfterMs });
const network = failureWith("network");
const fresh = initialConnection();

/** The states, by name. `open` has just been opened and brought nothing; `worked` brought something. */
const states: Readonly<Record<string, ConnectionState>> = {
  idle: fresh,
  connecting: { ...fresh, phase: "connecting", deadline: NOW + 20_000 },
  open: { ...fresh, phase: "open", openedAt: NOW, deadline: NOW + 45_000 },
  worked: {
    ...fresh,
    phase: "open",
    openedAt: NOW,
    deadline: NOW + 45_000,
    live: true,
    progressed: true,
  },
  waiting: { ...fresh, openedAt: NOW - 60_000, attempt: 3, phase: "waiting", deadline: NOW + 500 },
  offline: { ...fresh, openedAt: NOW - 60_000, phase: "offline" },
  hidden: { ...fresh, openedAt: NOW - 60_000, phase: "hidden" },
  done: { ...fresh, phase: "done" },
  failed: { ...fresh, phase: "error", error },
};

/** The events, by name. */
const events: Readonly<Record<string, ConnectionEvent>> = {
  connect: { type: "connect" },
  "connect offline": { type: "connect" },
  start: { type: "start" },
  disconnect: { type: "disconnect" },
  activity: { type: "activity" },
  progress: { type: "progress" },
  live: { type: "live", heartbeatMs: 1_000 },
  end: { type: "end", end: { status: "done" } },
  closed: { type: "closed" },
  gap: { type: "gap" },
  "network failure": { type: "failed", failure: network },
  "network failure offline": { type: "failed", failure: network },
  "401": { type: "failed", failure: http(401) },
  "404": { type: "failed", failure: http(404) },
  "400": { type: "failed", failure: http(400) },
  "503": { type: "failed", failure: http(503) },
  "refused start": { type: "refused", failure: http(400) },
  "timer early": { type: "timer" },
  online: { type: "online" },
  offline: { type: "offline" },
  visible: { type: "visible" },
  "visible offline": { type: "visible" },
  hide: { type: "hide" },
  stop: { type: "stop" },
  retry: { type: "retry" },
};

/** `status` after the event, and what is to be done; `·` where nothing changes and nothing is done. */
const table: Readonly<Record<keyof typeof events, Readonly<Record<keyof typeof states, string>>>> = {
  connect: row("·", { idle: "connecting: open" }),
  "connect offline": row("·", { idle: "offline" }),
  start: row("connecting", {
    connecting: "connecting: abort",
    open: "reconnecting: abort",
    worked: "reconnecting: abort",
    waiting: "reconnecting",
    offline: "reconnecting",
    hidden: "reconnecting",
  }),
  disconnect: row("idle", {
    idle: "idle",
    connecting: "idle: abort",
    open: "idle: abort",
    worked: "idle: abort",
    done: "·",
    failed: "·",
  }),
  activity: row("·", { connecting: "replaying", open: "replaying", worked: "streaming" }),
  progress: row("same", { open: "replaying", worked: "streaming" }),
  live: row("same", { open: "streaming", worked: "streaming" }),
  end: row("done"),
  closed: row("·", { open: "reconnecting", worked: "reconnecting: open" }),
  gap: row("·", { open: "reconnecting: abort", worked: "reconnecting: abort" }),
  "network failure": row("·", {
    connecting: "reconnecting",
    open: "reconnecting",
    worked: "reconnecting: open",
  }),
  "network failure offline": row("·", { connecting: "offline", open: "offline", worked: "offline" }),
  "401": row("·", { connecting: "error", open: "error", worked: "error" }),
  "404": row("·", { connecting: "missing", open: "missing", worked: "missing" }),
  "400": row("·", { connecting: "error", open: "error", worked: "error" }),
  "503": row("·", { connecting: "reconnecting", open: "reconnecting", worked: "reconnecting" }),
  "refused start": row("error"),
  "timer early": row("·"),
  online: row("·", {
    waiting: "reconnecting: open",
    offline: "reconnecting: open",
    hidden: "reconnecting: open",
  }),
  offline: row("·", {
    connecting: "offline: abort",
    open: "offline: abort",
    worked: "offline: abort",
    waiting: "offline",
  }),
  visible: row("·", {
    waiting: "reconnecting: open",
    offline: "reconnecting: open",
    hidden: "reconnecting: open",
  }),
  "visible offline": row("·"),
  hide: row("·", {
    connecting: "reconnecting: abort",
    open: "reconnecting: abort",
    worked: "reconnecting: abort",
    waiting: "reconnecting",
  }),
  stop: row("same: send-stop", { done: "·", failed: "·" }),
  retry: row("reconnecting: open", {
    idle: "connecting: open",
    connecting: "·",
    open: "·",
    worked: "·",
    done: "·",
    failed: "connecting: open",
  }),
};

function row(all: string, some: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.keys(states).map((name) => [name, some[name] ?? all]));
}

describe("the connection machine", () => {
  const cases = Object.keys(events).flatMap((event) =>
    Object.keys(states).map((state) => [event, state] as const),
  );

  it.each(cases)("%s while %s", (eventName, stateName) => {
    const state = states[stateName];
    const event = events[eventName];
    const expected = table[eventName]?.[stateName];
    if (state === undefined || event === undefined || expected === undefined)
      throw new Error("the table has a hole");
    const step = stepConnection(state, event, NOW, 0.5, !eventName.endsWith(" offline"));
    if (expected === "·") return expect(step).toEqual({ state, actions: [] });
    const [status, actions = ""] = expected.split(": ");
    expect(clientStatusOf(step.state)).toBe(status === "same" ? clientStatusOf(state) : status);
    expect(step.actions.join(" ")).toBe(actions);
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
    const first = fail({ ...connecting, expected: true }, http(404));
    expect(first.phase).toBe("waiting");
    const later = { ...first, phase: connecting.phase, deadline: connecting.deadline };
    expect(fail(later, http(404), NOW + 29_000).phase).toBe("waiting");
    expect(fail(later, http(404), NOW + 30_000).phase).toBe("missing");
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
    expect(failed(http(404), { ...stopping, expected: true })).toBe("waiting");
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
