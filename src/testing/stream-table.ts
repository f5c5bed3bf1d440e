/**
 * The table of (state x event): what each event gives on a stream in each state, and the state after it. This is the one
 * list of a stream's rules. `docs/PROTOCOL.md` shows it, the contract suite is generated from it, and
 * `server/stores/stream-state.ts` is it in code.
 */

/** A stream in one of these is what a row begins with. All but `missing` and `vanished` hold two entries. */
export const STREAM_STATES = [
  "missing",
  "vanished",
  "streaming",
  "lapsed",
  "done",
  "error",
  "stopped",
  "lost",
] as const;

/**
 * A state. `missing` also stands for deleted and expired streams. `vanished`: the store has lost it, and here is who acquired
 * it. `lapsed`: its lease has, and who looks was not in touch for long enough to say so. `lost` is an error whose code is
 * `producer-lost`.
 */
export type StreamStateName = (typeof STREAM_STATES)[number];

/** What happens to a stream, by its name in the table. */
export const STREAM_EVENTS = {
  open: "`open`, also by `acquire` and `acquireLease`",
  "open-takeover": "`open` with `takeover`, by the owner",
  "open-takeover-other": "`open` with `takeover`, by another owner",
  append: "`appendBatch` of entry 3",
  "append-repeated": "`appendBatch` of entry 2 again",
  "append-overlapping": "`appendBatch` of entries 2 and 3",
  "append-gap": "`appendBatch` of entry 5",
  "append-large": "`appendBatch` of entry 3, over a limit",
  "append-superseded": "`appendBatch` with an older lease",
  renew: "`renew`",
  "renew-superseded": "`renew` with an older lease",
  "end-done": "`end` as `done` after entry 2",
  "end-error": "`end` as `error` after entry 2",
  "end-short": "`end` as `done` after entry 3",
  "end-superseded": "`end` with an older lease",
  restore: "`restore`",
  stop: "`stop`",
  delete: "`delete`",
  "legacy-append": "`append` of bytes, without a lease",
  "legacy-append-superseded": "`append` of bytes, with an older lease",
  "legacy-finalize": "`finalize` as `done`, without a lease",
  "legacy-finalize-superseded": "`finalize` as `done`, with an older lease",
  status: "`status`",
  inspect: "`inspect`",
  "follow-start": "`follow` from the start",
  "follow-cursor": "`follow` from entry 1",
  "follow-other": "`follow` from another generation",
  "follow-ahead": "`follow` from entry 9",
  "read-start": "`read` from the start",
} as const;

/** An event. */
export type StreamEventName = keyof typeof STREAM_EVENTS;

/** `result`, or `result → state after it`. */
type Cells = Readonly<Record<StreamStateName, string>>;

/** The same for all streams that have ended, which say how. */
function ended(result: string): Pick<Cells, "done" | "error" | "stopped" | "lost"> {
  return {
    done: result.replace("*", "done"),
    error: result.replace("*", "source-failed"),
    stopped: result.replace("*", "stopped"),
    lost: result.replace("*", "producer-lost"),
  };
}

/** The same where there is no stream, whyever. */
function gone(result: string): Pick<Cells, "missing" | "vanished"> {
  return { missing: result, vanished: result };
}

/** The same while it streams: a lapsed lease changes nothing until somebody has said so. */
function live(result: string): Pick<Cells, "streaming" | "lapsed"> {
  return { streaming: result, lapsed: result };
}

/** What a lease's call gives where it has no right; a stream that vanished may be put back by who acquired it. */
const noRight: Pick<Cells, "missing" | "vanished" | "done" | "error" | "stopped" | "lost"> = {
  missing: "deleted",
  vanished: "vanished",
  ...ended("ended * 2"),
};

/** What a call with an older lease gives. */
const superseded: Cells = { ...gone("deleted"), ...live("superseded"), ...ended("superseded") };

/** The table. */
export const STREAM_TABLE: Readonly<Record<StreamEventName, Cells>> = {
  open: { ...gone("producer → empty"), ...live("consumer"), ...ended("consumer") },
  "open-takeover": {
    ...gone("producer → empty"),
    ...live("consumer"),
    ...ended("consumer"),
    lost: "producer → empty",
  },
  "open-takeover-other": { ...gone("producer → empty"), ...live("consumer"), ...ended("consumer") },
  append: { ...live("ok 3"), ...noRight },
  "append-repeated": { ...live("ok 2"), ...noRight },
  "append-overlapping": { ...live("ok 3"), ...noRight },
  "append-gap": { ...live("ok 2"), ...noRight },
  "append-large": { ...live("limit maxChunkBytes 2"), ...noRight },
  "append-superseded": superseded,
  renew: { ...live("ok 2"), ...noRight },
  "renew-superseded": superseded,
  "end-done": { ...live("ok 2 → done"), ...noRight, done: "ok 2" },
  "end-error": { ...live("ok 2 → error"), ...noRight, error: "ok 2" },
  "end-short": { ...live("ok 2"), ...noRight, done: "ok 2" },
  "end-superseded": superseded,
  restore: { ...live("ok 2"), ...noRight, vanished: "ok 0 → empty" },
  stop: {
    ...gone("null"),
    ...live("stopped → stopped"),
    done: "done",
    error: "source-failed",
    stopped: "stopped",
    lost: "producer-lost",
  },
  delete: { ...gone("nothing → missing"), ...live("nothing → missing"), ...ended("nothing → missing") },
  "legacy-append": { ...gone("throws missing"), ...live("nothing"), ...ended("throws finalized") },
  "legacy-append-superseded": {
    ...gone("throws missing"),
    ...live("throws missing"),
    ...ended("throws missing"),
  },
  "legacy-finalize": { ...gone("throws missing"), ...live("true → done"), ...ended("false") },
  "legacy-finalize-superseded": { ...gone("throws missing"), ...live("false"), ...ended("false") },
  status: {
    ...gone("missing"),
    ...live("streaming"),
    done: "done",
    error: "error",
    stopped: "stopped",
    lost: "error",
  },
  inspect: {
    ...gone("null"),
    ...live("streaming"),
    done: "done",
    error: "source-failed",
    stopped: "stopped",
    lost: "producer-lost",
  },
  "follow-start": { ...gone("end missing"), ...live("at 0, 1 2, live"), ...ended("at 0, 1 2, end *") },
  "follow-cursor": { ...gone("end missing"), ...live("at 1, 2, live"), ...ended("at 1, 2, end *") },
  "follow-other": {
    ...gone("end missing"),
    ...live("reset at 0, 1 2, live"),
    ...ended("reset at 0, 1 2, end *"),
  },
  "follow-ahead": { ...gone("end missing"), ...live("at 9, live"), ...ended("reset at 0, 1 2, end *") },
  "read-start": {
    ...gone("throws missing"),
    ...live("1 2, waits"),
    done: "1 2",
    error: "1 2, throws source-failed",
    stopped: "1 2",
    lost: "1 2, throws producer-lost",
  },
};

/** The state after an event: what the table says, else the one before; a lapse nobody has said, and a loss, do not show. */
export function stateAfter(event: StreamEventName, state: StreamStateName): string {
  const [, after] = STREAM_TABLE[event][state].split(" → ");
  if (after !== undefined) return after;
  return state === "lapsed" ? "streaming" : state === "vanished" ? "missing" : state;
}

/** The table as Markdown. */
export function renderStreamTable(): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const header = ["event", ...STREAM_STATES.map((state) => `\`${state}\``)];
  const events = Object.entries(STREAM_EVENTS).map(([event, title]) => {
    const cells = Object.entries(STREAM_TABLE).find(([name]) => name === event)?.[1];
    return row([title, ...STREAM_STATES.map((state) => cells?.[state] ?? "")]);
  });
  return [row(header), row(header.map(() => "---")), ...events].join("\n");
}
