/** A follower that is gone leaves nothing behind, however it went: a signal that is listened to is never collected. */
import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  type ResumableStreamContext,
  type ResumableStreamStore,
} from "../../src/server/index.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { streamOf } from "../support/streams.ts";
import { sseOf, textPayloads, textProtocol } from "../support/text-protocol.ts";

/** A store of an app's own: the seven methods, without leases. */
function bytesOnlyStore(): ResumableStreamStore {
  const { acquire, append, finalize, read, status, delete: forget } = createInMemoryResumableStreamStore();
  return { acquire, append, finalize, read, status, delete: forget };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const kinds: readonly [
  string,
  () => ResumableStreamStore,
  (context: ResumableStreamContext) => Promise<void>,
][] = [
  [
    "events",
    createInMemoryResumableStreamStore,
    async (context) => {
      const options = { protocol: textProtocol, owner: null };
      await context.run("ended", () => streamOf(sseOf(textPayloads("a"))), options);
      const live = scriptedSource();
      await context.run("live", live.make, options);
      live.write(sseOf(textPayloads("a", "b", "c")));
    },
  ],
  ["bytes", createInMemoryResumableStreamStore, runBytes],
  ["bytes, on a store of an app's own", bytesOnlyStore, runBytes],
];

async function runBytes(context: ResumableStreamContext): Promise<void> {
  await context.run("ended", () => streamOf(bytes("a"), bytes("b")));
  const live = scriptedSource<Uint8Array>();
  await context.run("live", live.make);
  live.write(bytes("a"), bytes("b"), bytes("c"));
}

describe.each(kinds)("a follower of %s", (_kind, createStore, run) => {
  let context: ResumableStreamContext;
  /** Signals that are made of others: Node keeps those that are listened to until one of them fires. */
  let signals: AbortSignal[];

  beforeEach(async () => {
    const any = AbortSignal.any.bind(AbortSignal);
    context = createResumableStreamContext({ store: createStore() });
    await run(context);
    await new Response(await context.requireResume("ended")).text();
    signals = [];
    vi.spyOn(AbortSignal, "any").mockImplementation((sources) => {
      const signal = any(sources);
      signals.push(signal);
      return signal;
    });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await context.close();
  });

  const listeners = (): number[] => signals.map((signal) => getEventListeners(signal, "abort").length);

  it("leaves no listener when it has read to the end", async () => {
    await new Response(await context.requireResume("ended")).text();
    expect(Math.max(...listeners())).toBe(0);
    expect(signals.every((signal) => signal.aborted)).toBe(true);
  });

  it("leaves no listener when it is cancelled while it waits", async () => {
    const reader = (await context.requireResume("live")).getReader();
    const decoder = new TextDecoder();
    let text = "";
    const over = (async () => {
      for (let read = await reader.read(); !read.done; read = await reader.read())
        text += decoder.decode(read.value, { stream: true });
    })();
    await vi.waitUntil(() => text.includes("c") && listeners().some((count) => count > 0));
    // However much it has read.
    expect(Math.max(...listeners())).toBe(1);
    await reader.cancel();
    await over;
    expect(Math.max(...listeners())).toBe(0);
  });

  it("leaves no listener when nobody reads its body", async () => {
    await context.requireResume("live");
    expect(Math.max(...listeners())).toBe(0);
  });
});
