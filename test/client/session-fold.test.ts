/** The fold and its cursor: whatever is sent again, early, late or not at all, each event changes it once. */
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createSessionFold, type SessionFold } from "../../src/client/session-fold.ts";
import { assistantStream, type AssistantMessage } from "../../src/shared/protocols/assistant-stream/index.ts";
import type { StreamProtocol } from "../../src/shared/protocols/protocol.ts";
import type { SseEvent } from "../../src/shared/sse.ts";
import { everyPartPayloads } from "../support/every-part-answer.ts";
import { textProtocol, type TextMessage } from "../support/text-protocol.ts";

const [GEN, OTHER] = ["000000001-aaa", "000000002-bbb"];

const event = (id: string, data: string, name?: string): SseEvent => ({ id, data, event: name });
const entryOf = (seq: number, payload: string, generation = GEN): SseEvent =>
  event(`${generation}.${seq}`, payload);
const snapshotOf = <TMessage>(
  protocol: StreamProtocol<TMessage>,
  payloads: readonly string[],
  version = protocol.version,
): SseEvent => {
  const fold = protocol.fold();
  for (const payload of payloads) fold.apply(payload);
  const data = { protocol: protocol.name, version, snapshot: fold.snapshot() };
  return event(`${GEN}.${payloads.length}`, JSON.stringify(data), "rejoin.snapshot");
};
const entries = everyPartPayloads.map((payload, index) => entryOf(index + 1, payload));
const viewOf = (fold: SessionFold<AssistantMessage>): string => JSON.stringify(fold.view());

const whole = viewOf(fed(entries));

function fed(events: readonly SseEvent[]): SessionFold<AssistantMessage> {
  const fold = createSessionFold(assistantStream);
  for (const each of events) fold.take(each);
  return fold;
}

describe("an answer with every kind of part", () => {
  it("is exact, and has each event once, when it is sent again from any position at or before any other", () => {
    for (let read = 0; read <= entries.length; read += 1) {
      for (let from = 0; from <= read; from += 1) {
        const fold = createSessionFold(assistantStream);
        const positions = [...entries.slice(0, read), ...entries.slice(from)].flatMap((each) => {
          const { position } = fold.take(each);
          return position === undefined ? [] : [position.seq];
        });
        expect(viewOf(fold), `${read}, then from ${from}`).toBe(whole);
        expect(positions).toEqual(entries.map((_, index) => index + 1));
      }
    }
  });

  it("is exact when any single event comes twice", () => {
    for (let twice = 0; twice < entries.length; twice += 1) {
      const doubled = [...entries.slice(0, twice + 1), ...entries.slice(twice)];
      expect(viewOf(fed(doubled))).toBe(whole);
    }
  });

  it("takes nothing after a gap of any width, at any place", () => {
    for (let read = 0; read <= entries.length; read += 1) {
      for (let next = read + 1; next < entries.length; next += 1) {
        const fold = fed(entries.slice(0, read));
        const [before, cursor] = [viewOf(fold), fold.cursor()];
        const skipped = entries[next];
        expect(skipped && fold.take(skipped)).toEqual({ meaning: { type: "gap" } });
        expect([viewOf(fold), fold.cursor()]).toEqual([before, cursor]);
      }
    }
  });

  it("is exact from a checkpoint at every event, whatever is sent again", () => {
    for (let kept = 0; kept <= entries.length; kept += 1) {
      const before = fed(entries.slice(0, kept));
      const checkpoint = { cursor: before.cursor(), snapshot: before.snapshot(), end: undefined };
      const after = createSessionFold(assistantStream, checkpoint);
      for (const each of entries.slice(Math.max(0, kept - 2))) after.take(each);
      expect(viewOf(after)).toBe(whole);
    }
  });

  it("is exact with the server's checkpoint at every event, wherever the client is", () => {
    for (let read = 0; read <= entries.length; read += 1) {
      for (let at = 0; at <= entries.length; at += 1) {
        const fold = fed(entries.slice(0, read));
        fold.take(snapshotOf(assistantStream, everyPartPayloads.slice(0, at)));
        for (const each of entries.slice(at)) fold.take(each);
        expect(viewOf(fold), `${read}, then a checkpoint at ${at}`).toBe(whole);
      }
    }
  });
});

describe("a checkpoint of the server's", () => {
  const payloads = ['{"t":"one "}', '{"t":"two "}', '{"t":"three"}'];
  const read = (): SessionFold<TextMessage> => {
    const fold = createSessionFold(textProtocol);
    payloads.forEach((payload, index) => fold.take(entryOf(index + 1, payload)));
    return fold;
  };

  it("that is behind what is known brings nothing", () => {
    const fold = read();
    expect(fold.take(snapshotOf(textProtocol, payloads.slice(0, 2)))).toEqual({});
    expect([fold.view()?.text, fold.cursor()]).toEqual(["one two three", `${GEN}.3`]);
  });

  it.each([
    ["of another version", snapshotOf(textProtocol, payloads, 2)],
    ["of another protocol", snapshotOf({ ...textProtocol, name: "other" }, payloads)],
    [
      "that cannot be read",
      event(`${GEN}.9`, '{"protocol":"test-text","version":1,"snapshot":"{"}', "rejoin.snapshot"),
    ],
    [
      "without a position",
      event("", '{"protocol":"test-text","version":1,"snapshot":null}', "rejoin.snapshot"),
    ],
  ])("%s is a gap", (_what, snapshot) => {
    const fold = createSessionFold(textProtocol);
    expect(fold.take(snapshot)).toEqual({ meaning: { type: "gap" } });
    expect([fold.view(), fold.cursor()]).toEqual([undefined, ""]);
  });
});

describe("a payload at which the protocol's fold fails", () => {
  it("is passed over, and told", () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    const fold = createSessionFold<TextMessage>({
      ...textProtocol,
      fold(snapshot) {
        const inner = textProtocol.fold(snapshot);
        const apply = (payload: string): void => {
          if (payload === "bad") throw new Error("a bug of the protocol's");
          inner.apply(payload);
        };
        return { ...inner, apply };
      },
    });
    const taken = ['{"t":"one "}', "bad", '{"t":"two"}'].map((payload, at) =>
      fold.take(entryOf(at + 1, payload)),
    );
    expect(taken.map(({ meaning }) => meaning?.type)).toEqual(["progress", "progress", "progress"]);
    expect([fold.view()?.text, fold.cursor()]).toEqual(["one two", `${GEN}.3`]);
    expect(told).toHaveBeenCalledOnce();
    told.mockRestore();
  });
});

/** The plainest thing that is right: a list of what was taken. */
function reference() {
  let [generation, payloads]: [string, string[]] = ["", []];
  const begin = (next: string): void => void ([generation, payloads] = [next, []]);
  return {
    text: () => payloads.join(""),
    cursor: () => (generation === "" ? "" : `${generation}.${payloads.length}`),
    entry(next: string, seq: number, text: string) {
      const known = next === generation ? payloads.length : 0;
      if (seq !== known + 1) return;
      if (next !== generation) begin(next);
      payloads.push(text);
    },
    reset: begin,
    control(next: string, seq: number) {
      if (next !== generation && seq === 0) begin(next);
    },
  };
}

describe("any sequence of events", () => {
  const step = fc.record({
    kind: fc.constantFrom("entry", "entry", "entry", "next", "next", "reset", "live", "end"),
    generation: fc.constantFrom(GEN, OTHER),
    seq: fc.integer({ min: 0, max: 6 }),
  });

  it("leaves what a list of the events that follow one another has", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const fold = createSessionFold(textProtocol);
        const expected = reference();
        for (const { kind, generation, seq } of steps) {
          const [known, at = "0"] = expected.cursor().split(".");
          // What may be anything seldom follows.
          const next = kind === "next" ? (known === generation ? Number(at) : 0) + 1 : Math.max(1, seq);
          if (kind === "entry" || kind === "next") {
            const text = `${generation.at(-1)}${next} `;
            expected.entry(generation, next, text);
            fold.take(entryOf(next, JSON.stringify({ t: text }), generation));
          } else if (kind === "reset") {
            expected.reset(generation);
            fold.take(event(`${generation}.0`, "{}", "rejoin.reset"));
          } else {
            expected.control(generation, seq);
            const data = kind === "live" ? '{"heartbeatMs":1000}' : '{"status":"done"}';
            fold.take(event(`${generation}.${seq}`, data, `rejoin.${kind}`));
          }
          expect(fold.cursor()).toBe(expected.cursor());
          expect(fold.view()?.text ?? "").toBe(expected.text());
        }
      }),
    );
  });
});
