import {
  AssistantMessageAccumulator as TheirAccumulator,
  type AssistantStreamChunk as TheirChunk,
} from "assistant-stream";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  AssistantMessageAccumulator,
  assistantStream,
  type AssistantMessage,
  type AssistantStreamChunk,
  type PartInit,
} from "../../../../src/shared/protocols/assistant-stream/index.ts";
import { everyPartChunks, everyPartPayloads } from "../../../support/every-part-answer.ts";
import { streamOf } from "../../../support/streams.ts";

let warned: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  warned = vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => void warned.mockRestore());

function foldOf(payloads: readonly string[]) {
  const fold = assistantStream.fold();
  for (const payload of payloads) fold.apply(payload);
  return fold;
}

function messageOf(...chunks: readonly AssistantStreamChunk[]): AssistantMessage {
  return foldOf(chunks.map((chunk) => JSON.stringify(chunk))).view();
}

const text = (textDelta: string, ...path: number[]): AssistantStreamChunk => ({
  type: "text-delta",
  path,
  textDelta,
});
const start = (part: PartInit): AssistantStreamChunk => ({ type: "part-start", path: [], part });
const usage = { inputTokens: 1, outputTokens: 2 };

/** What another implementation makes of the chunks, without what reads the clock and what is deprecated there. */
async function theirMessage(chunks: readonly AssistantStreamChunk[]): Promise<unknown> {
  const theirs: TheirChunk[] = JSON.parse(JSON.stringify(chunks));
  let last: unknown;
  for await (const message of streamOf(...theirs).pipeThrough(new TheirAccumulator({ strict: false })))
    last = message;
  return JSON.parse(JSON.stringify(last), (key, value) => {
    if (key === "timing" || key === "content") return undefined;
    // Their types know no status of parts that are whole at once, but `part-finish` gives them one.
    if (["source", "file", "data"].includes(value?.type)) return { ...value, status: undefined };
    return value;
  });
}

/** Chunks of a source that knows the protocol: parts begin, grow and end. */
const answers = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant("text" as const), texts: fc.array(fc.string()), ends: fc.boolean() }),
      fc.record({
        kind: fc.constant("reasoning" as const),
        texts: fc.array(fc.string()),
        ends: fc.boolean(),
      }),
      fc.record({
        kind: fc.constant("tool" as const),
        // They lose a key named `__proto__`.
        args: fc.dictionary(
          fc.string().filter((key) => key !== "__proto__"),
          fc.jsonValue(),
        ),
        preliminary: fc.boolean(),
        result: fc.option(fc.jsonValue({ noUnicodeString: false })),
        isError: fc.boolean(),
      }),
      fc.record({ kind: fc.constant("data" as const), value: fc.jsonValue() }),
      fc.record({
        kind: fc.constant("state" as const),
        key: fc.constantFrom("a", "b", "c"),
        value: fc.jsonValue(),
      }),
    ),
    { maxLength: 8 },
  )
  .map((items): AssistantStreamChunk[] => {
    let index = -1;
    const json = (value: unknown) => JSON.parse(JSON.stringify(value));
    return items.flatMap((item): AssistantStreamChunk[] => {
      if (item.kind === "data") return [{ type: "data", path: [], data: [json(item.value)] }];
      if (item.kind === "state") {
        return [
          {
            type: "update-state",
            path: [],
            operations: [{ type: "set", path: [item.key], value: json(item.value) }],
          },
        ];
      }
      index += 1;
      const path = [index];
      const end: AssistantStreamChunk = { type: "part-finish", path };
      if (item.kind !== "tool") {
        return [
          start({ type: item.kind }),
          ...item.texts.map((t) => text(t, index)),
          ...(item.ends ? [end] : []),
        ];
      }
      const result = { type: "result", path, result: json(item.result), isError: item.isError } as const;
      return [
        start({ type: "tool-call", toolCallId: `call-${index}`, toolName: "tool" }),
        ...(JSON.stringify(item.args).match(/.{1,5}/gs) ?? []).map((t) => text(t, index)),
        { type: "tool-call-args-text-finish", path },
        ...(item.preliminary ? [{ ...result, isPreliminary: true }] : []),
        ...(item.result === null ? [] : [result, end]),
      ];
    });
  });

describe("the fold of an assistant stream", () => {
  it("folds every kind of part", () => {
    expect(messageOf(...everyPartChunks)).toMatchSnapshot();
    expect(warned).not.toHaveBeenCalled();
  });

  it("makes of an answer what assistant-stream makes of it", async () => {
    expect(JSON.parse(JSON.stringify(messageOf(...everyPartChunks)))).toEqual(
      await theirMessage(everyPartChunks),
    );
  });

  it("does so for any answer, finished or not", async () => {
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.constantFrom("stop", "length", "tool-calls", undefined),
        async (chunks, reason) => {
          const all: AssistantStreamChunk[] =
            reason === undefined
              ? chunks
              : [...chunks, { type: "message-finish", path: [], finishReason: reason, usage }];
          fc.pre(all.length > 0);
          const fold = foldOf(all.map((chunk) => JSON.stringify(chunk)));
          // They end a message at the end of its chunks, but leave texts running that nobody finished.
          fold.end({ status: "done" });
          const ours = JSON.parse(JSON.stringify(fold.view()));
          const theirs = JSON.parse(JSON.stringify(await theirMessage(all)), (_key, value) =>
            isRunning(value, "text", "reasoning")
              ? { ...value, status: { type: "complete", reason: "unknown" } }
              : isRunning(value, "tool-call")
                ? { ...value, status: { type: "requires-action", reason: "tool-call-result" } }
                : value,
          );
          expect(ours).toEqual(theirs);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is the same from every checkpoint on, byte for byte", () => {
    const whole = JSON.stringify(foldOf(everyPartPayloads).view());
    for (let cut = 0; cut <= everyPartPayloads.length; cut += 1) {
      const before = foldOf(everyPartPayloads.slice(0, cut));
      const restored = assistantStream.fold(JSON.parse(JSON.stringify(before.snapshot())));
      expect(JSON.stringify(restored.view())).toBe(JSON.stringify(before.view()));
      for (const payload of everyPartPayloads.slice(cut)) restored.apply(payload);
      expect(JSON.stringify(restored.view())).toBe(whole);
      expect(assistantStream.isComplete(restored)).toBe(true);
    }
  });

  it("is so for any answer, any cut and any end", () => {
    fc.assert(
      fc.property(answers, fc.nat(), fc.constantFrom("done", "stopped", "error"), (chunks, seed, status) => {
        const payloads = chunks.map((chunk) => JSON.stringify(chunk));
        const cut = seed % (payloads.length + 1);
        const end =
          status === "error"
            ? { status, error: { code: "producer-lost", message: "lost" } as const }
            : { status };
        const whole = foldOf(payloads);
        whole.end(end);
        const restored = assistantStream.fold(
          JSON.parse(JSON.stringify(foldOf(payloads.slice(0, cut)).snapshot())),
        );
        for (const payload of payloads.slice(cut)) restored.apply(payload);
        restored.end(end);
        expect(JSON.stringify(restored.view())).toBe(JSON.stringify(whole.view()));
        expect(JSON.stringify(restored.snapshot())).toBe(JSON.stringify(whole.snapshot()));
      }),
    );
  });

  it("never throws, whatever the payload", () => {
    const kinds = everyPartChunks.map((chunk) => chunk.type);
    const damaged = fc
      .record({ type: fc.constantFrom(...kinds), path: fc.oneof(fc.constant([0]), fc.jsonValue()) })
      .chain((chunk) =>
        fc
          .dictionary(
            fc.constantFrom(
              "part",
              "textDelta",
              "result",
              "operations",
              "annotations",
              "data",
              "approval",
              "error",
              "usage",
            ),
            fc.jsonValue(),
          )
          .map((fields) => JSON.stringify({ ...chunk, ...fields })),
      );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.json(), damaged, fc.constantFrom(...everyPartPayloads))),
        (payloads) => {
          const fold = foldOf(payloads);
          expect(() => JSON.stringify(fold.view())).not.toThrow();
          expect(() => assistantStream.fold(JSON.parse(JSON.stringify(fold.snapshot())))).not.toThrow();
        },
      ),
    );
  });

  it.each([
    '{"type":{"toString":1}}',
    '{"type":"part-start","path":[],"part":{"type":["text"]}}',
    '{"type":"part-start","path":[],"part":{"type":{"toString":1}}}',
    `{"type":"data","path":[],"data":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
    '{"type":"result","path":["0"],"result":1}',
  ])("takes no harm from %.60s", (payload) => {
    const fold = foldOf([everyPartPayloads[1] ?? "", payload, everyPartPayloads[2] ?? ""]);
    expect(fold.view().parts[0]).toMatchObject({ type: "reasoning", text: "First, " });
    fold.end({ status: "done" });
    expect(() => JSON.stringify(fold.snapshot())).not.toThrow();
  });

  it("reads a number that JavaScript cannot hold as every checkpoint keeps it", () => {
    const set = (path: string[], value: string) =>
      `{"type":"update-state","path":[],"operations":[{"type":"set","path":${JSON.stringify(path)},"value":${value}}]}`;
    const whole = foldOf([set([], '{"a":1e999}'), set(["a", "b"], "1")]);
    const restored = assistantStream.fold(
      JSON.parse(JSON.stringify(foldOf([set([], '{"a":1e999}')]).snapshot())),
    );
    restored.apply(set(["a", "b"], "1"));
    expect(JSON.stringify(restored.view())).toBe(JSON.stringify(whole.view()));
  });

  it("never changes a state that somebody has looked at", () => {
    const set = (key: string): AssistantStreamChunk => ({
      type: "update-state",
      path: [],
      operations: [{ type: "set", path: ["a", key], value: 1 }],
    });
    const fold = foldOf([JSON.stringify(set("x")), JSON.stringify(set("y"))]);
    const before = fold.view().metadata.unstable_state;
    fold.apply(JSON.stringify(set("z")));
    expect(before).toEqual({ a: { x: 1, y: 1 } });
    expect(fold.view().metadata.unstable_state).toEqual({ a: { x: 1, y: 1, z: 1 } });
  });

  it("passes over what it does not know, with one warning a kind", () => {
    const fold = foldOf([
      '{"type":"from-the-future"}',
      '{"type":"from-the-future"}',
      "not json",
      everyPartPayloads[1] ?? "",
    ]);
    expect(fold.view().parts).toHaveLength(1);
    expect(warned).toHaveBeenCalledTimes(2);
  });

  it("keeps the place of a part that it does not know", () => {
    const message = messageOf(
      JSON.parse('{"type":"part-start","path":[],"part":{"type":"hologram"}}'),
      start({ type: "text" }),
      text("after", 1),
    );
    expect(message.parts[1]).toMatchObject({ type: "text", text: "after" });
  });
});

describe("the view", () => {
  it("is the same reference until something is applied, and never changes afterwards", () => {
    const fold = assistantStream.fold();
    const views = everyPartPayloads.map((payload) => {
      fold.apply(payload);
      const view = fold.view();
      expect(fold.view()).toBe(view);
      return { view, json: JSON.stringify(view) };
    });
    for (const { view, json } of views) expect(JSON.stringify(view)).toBe(json);
  });

  it("keeps the identity of parts that did not change", () => {
    const fold = foldOf(
      [start({ type: "text" }), text("a", 0), start({ type: "text" })].map((c) => JSON.stringify(c)),
    );
    const before = fold.view();
    fold.apply(JSON.stringify(text("b", 1)));
    const after = fold.view();
    expect(after.parts[0]).toBe(before.parts[0]);
    expect(after.parts[1]).not.toBe(before.parts[1]);
    expect(after.metadata).toBe(before.metadata);
  });

  it("shows a tool's arguments as they come", () => {
    const call = start({ type: "tool-call", toolCallId: "c", toolName: "t" });
    const message = messageOf(call, text('{"city":"Ber', 0));
    expect(message.parts[0]).toMatchObject({
      argsText: '{"city":"Ber',
      args: { city: "Ber" },
      state: "partial-call",
    });
  });
});

describe("the end of the stream", () => {
  const running = [
    start({ type: "text" }),
    text("a", 0),
    start({ type: "tool-call", toolCallId: "c", toolName: "t" }),
  ];

  it.each([
    ["done", { type: "requires-action", reason: "tool-calls" }, { type: "complete", reason: "unknown" }],
    ["stopped", { type: "incomplete", reason: "cancelled" }, { type: "incomplete", reason: "cancelled" }],
    [
      "error",
      { type: "incomplete", reason: "error", error: { code: "producer-lost", message: "gone" } },
      { type: "incomplete", reason: "other" },
    ],
  ] as const)("as %s stops what is running", (status, messageStatus, partStatus) => {
    const fold = foldOf(running.map((chunk) => JSON.stringify(chunk)));
    const end = {
      status,
      ...(status === "error" ? { error: { code: "producer-lost", message: "gone" } as const } : {}),
    };
    fold.end(end);
    const first = fold.view();
    expect(first.status).toEqual(messageStatus);
    expect(first.parts[0]).toMatchObject({ status: partStatus });
    expect(JSON.stringify(first)).not.toContain('"running"');
    fold.end(end);
    expect(fold.view()).toEqual(first);
  });

  it("does not change a message that has finished", () => {
    const fold = foldOf(everyPartPayloads);
    const before = fold.view();
    fold.end({ status: "stopped" });
    expect(fold.view().status).toEqual(before.status);
  });

  it("is known to the protocol by message-finish or a critical error, not by a warning", () => {
    const complete = (...chunks: AssistantStreamChunk[]) =>
      assistantStream.isComplete(foldOf(chunks.map((c) => JSON.stringify(c))));
    expect(complete(...running)).toBe(false);
    expect(complete({ type: "error", path: [], error: "slow", severity: "warning" })).toBe(false);
    expect(complete({ type: "error", path: [], error: "overloaded" })).toBe(true);
    expect(complete({ type: "message-finish", path: [], finishReason: "stop", usage })).toBe(true);
  });

  it("keeps an error that the source reported, whatever finish follows", () => {
    const error: AssistantStreamChunk = {
      type: "error",
      path: [],
      error: "overloaded",
      code: "529",
      severity: "critical",
    };
    const message = messageOf(error, { type: "message-finish", path: [], finishReason: "stop", usage });
    expect(message.status).toEqual({
      type: "incomplete",
      reason: "error",
      error: { code: "529", message: "overloaded", severity: "critical" },
    });
  });
});

describe("a snapshot", () => {
  it.each([null, 1, [], {}, { message: {}, complete: true }, { message: { parts: [] } }])(
    "that is %j is refused",
    (snapshot) => {
      expect(() => assistantStream.fold(snapshot)).toThrow(TypeError);
    },
  );
});

describe("the accumulator", () => {
  const collect = async (accumulator: AssistantMessageAccumulator, ...chunks: AssistantStreamChunk[]) => {
    const messages: AssistantMessage[] = [];
    for await (const message of streamOf(...chunks).pipeThrough(accumulator)) messages.push(message);
    return messages;
  };

  it("gives a message a chunk, and ends one that is running when the chunks end", async () => {
    const messages = await collect(new AssistantMessageAccumulator(), start({ type: "text" }), text("a", 0));
    expect(messages.map((message) => message.status.type)).toEqual(["running", "running", "complete"]);
  });

  it("goes on from a message", async () => {
    const [initialMessage] = (
      await collect(new AssistantMessageAccumulator(), start({ type: "text" }), text("a", 0))
    ).slice(1);
    if (initialMessage === undefined) throw new Error("no message");
    const messages = await collect(new AssistantMessageAccumulator({ initialMessage }), text("b", 0));
    expect(messages.at(-1)?.parts[0]).toMatchObject({ text: "ab" });
  });

  it("may give one message for chunks that come together, and never loses the last", async () => {
    const messages = await collect(new AssistantMessageAccumulator({ throttle: true }), ...everyPartChunks);
    expect(messages.length).toBeLessThanOrEqual(everyPartChunks.length);
    expect(messages.at(-1)).toEqual(messageOf(...everyPartChunks));
  });

  it("reports error chunks", async () => {
    const onError = vi.fn();
    await collect(new AssistantMessageAccumulator({ onError }), {
      type: "error",
      path: [],
      error: "overloaded",
    });
    expect(onError).toHaveBeenCalledWith("overloaded");
  });

  it("fails for a chunk that makes no sense when it is strict", async () => {
    await expect(collect(new AssistantMessageAccumulator({ strict: true }), text("a", 7))).rejects.toThrow(
      /no such part/,
    );
  });
});

function isRunning(value: unknown, ...types: readonly string[]): value is object {
  if (typeof value !== "object" || value === null || !("type" in value) || !("status" in value)) return false;
  const { type, status } = value;
  return types.includes(String(type)) && JSON.stringify(status).startsWith('{"type":"running"');
}
