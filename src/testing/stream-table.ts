/**
 * The table of (state x event): what each event gives on a stream in each state, and the state after it. This is the one
 * list of a stream's rules. `docs/PROTOCOL.md` shows it, the contract suite is generated from it, and
 * `server/stores/stream-state.ts` is it in code.
 */

/** A stream in one of these is what a row begins with. All but `missing` hold two entries. */
export const STREAM_STATES = ["missing", "streaming", "done", "error", "stopped", "lost"] as const;

/** A state. `lost` is an error whose code is `producer-lost`; `missing` also stands for deleted and expired streams. */
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

/** The table. */
export const STREAM_TABLE: Readonly<Record<StreamEventName, Cells>> = {
  open: { missing: "producer → empty", streaming: "consumer", ...ended("consumer") },
  "open-takeover": {
    missing: "producer → empty",
    streaming: "consumer",
    ...ended("consumer"),
    lost: "producer → empty",
  },
  "open-takeover-other": { missing: "producer → empty", streaming: "consumer", ...ended("consumer") },
  append: { missing: "deleted", streaming: "ok 3", ...ended("ended * 2") },
  "append-repeated": { missing: "deleted", streaming: "ok 2", ...ended("ended * 2") },
  "append-overlapping": { missing: "deleted", streaming: "ok 3", ...ended("ended * 2") },
  "append-gap": { missing: "deleted", streaming: "ok 2", ...ended("ended * 2") },
  "append-superseded": { missing: "deleted", streaming: "superseded", ...ended("superseded") },
  renew: { missing: "deleted", streaming: "ok 2", ...ended("ended * 2") },
  "renew-superseded": { missing: "deleted", streaming: "superseded", ...ended("superseded") },
  "end-done": { missing: "deleted", streaming: "ok 2 → done", ...ended("ended * 2"), done: "ok 2" },
  "end-error": { missing: "deleted", streaming: "ok 2 → error", ...ended("ended * 2"), error: "ok 2" },
  "end-short": { missing: "deleted", streaming: "ok 2", ...ended("ended * 2"), done: "ok 2" },
  "end-superseded": { missing: "deleted", streaming: "superseded", ...ended("superseded") },
  restore: { missing: "deleted", streaming: "ok 2", ...ended("ended * 2") },
  stop: {
    missing: "null",
    streaming: "stopped → stopped",
    done: "done",
    error: "source-failed",
    stopped: "stopped",
    lost: "producer-lost",
  },
  delete: { missing: "nothing", streaming: "nothing → missing", ...ended("nothing → missing") },
  "legacy-append": { missing: "throws missing", streaming: "nothing", ...ended("throws finalized") },
  "legacy-append-superseded": {
    missing: "throws missing",
    streaming: "throws missing",
    ...ended("throws missing"),
  },
  "legacy-finalize": { missing: "throws missing", streaming: "true → done", ...ended("false") },
  "legacy-finalize-superseded": { missing: "throws missing", streaming: "false", ...ended("false") },
  status: {
    missing: "missing",
    streaming: "streaming",
    done: "done",
    error: "error",
    stopped: "stopped",
    lost: "error",
  },
  inspect: {
    missing: "null",
    streaming: "streaming",
    done: "done",
    error: "source-failed",
    stopped: "stopped",
    lost: "producer-lost",
  },
  "follow-start": { missing: "end missing", streaming: "at 0, 1 2, live", ...ended("at 0, 1 2, end *") },
  "follow-cursor": { missing: "end missing", streaming: "at 1, 2, live", ...ended("at 1, 2, end *") },
  "follow-other": {
    missing: "end missing",
    streaming: "reset at 0, 1 2, live",
    ...ended("reset at 0, 1 2, end *"),
  },
  "follow-ahead": { missing: "end missing", streaming: "at 9, live", ...ended("reset at 0, 1 2, end *") },
  "read-start": {
    missing: "throws missing",
    streaming: "1 2, waits",
    done: "1 2",
    error: "1 2, throws source-failed",
    stopped: "1 2",
    lost: "1 2, throws producer-lost",
  },
};

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
