/** Reading a response: the page gets its turns, and what nobody wants is not read. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextTask } from "../../src/client/next-task.ts";
import { readEvents } from "../../src/client/stream-request.ts";
import { formatSseEvent } from "../../src/shared/sse.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const EVENTS = 5_000;

describe("a replay that is there all at once", () => {
  for (const [name, chunkBytes] of [
    ["in one chunk", 1_000_000],
    ["in chunks of the network", 1_000],
  ] as const) {
    it(`leaves the page its turns, and is whole and in order (${name})`, async () => {
      const work = workOf(0.1);
      const turns: number[] = [];
      let done = false;
      const watching = (async () => {
        while (!done) {
          await nextTask();
          turns.push(work.taken.length);
        }
      })();
      await readAll(responseOf(bodyOf(chunkBytes)), work.take);
      done = true;
      await watching;

      expect(work.taken).toEqual(Array.from({ length: EVENTS }, (_, index) => String(index + 1)));
      // A slice is 8 ms of work, and what comes until the next look at the clock, after 16 KB.
      const slices = turns.map((taken, index) => taken - (turns[index - 1] ?? 0));
      expect(Math.max(...slices)).toBeLessThan(8 / 0.1 + (16 * 1024) / EVENT_BYTES + 2);
    });
  }

  it("is not read on when nobody wants it any more, though it is all there", async () => {
    const work = workOf(0.1);
    let isWanted = true;
    const canceled = vi.fn<() => void>();
    const read = readAll(responseOf(bodyOf(1_000, canceled)), work.take, () => isWanted);
    void nextTask().then(() => (isWanted = false));
    await read;
    expect(work.taken.length).toBeGreaterThan(0);
    expect(work.taken.length).toBeLessThan(EVENTS / 2);
    expect(canceled).toHaveBeenCalledOnce();
  });

  it("loses nothing that came before a cut, though the page had its turns meanwhile", async () => {
    const work = workOf(0.1);
    const cut = new TypeError("The connection was cut");
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        for (const bytes of chunksOf(64 * 1024)) controller.enqueue(bytes);
        void nextTask().then(() => controller.error(cut));
      },
    });
    await expect(readAll(responseOf(body), work.take)).rejects.toBe(cut);
    expect(work.taken).toHaveLength(EVENTS);
  });
});

const EVENT_BYTES = eventOf(1).length;

function eventOf(seq: number): string {
  return formatSseEvent({ id: String(seq).padStart(4, "0"), data: "x".repeat(80) });
}

/** All events, as bytes. */
function chunksOf(chunkBytes: number): readonly Uint8Array<ArrayBuffer>[] {
  const text = Array.from({ length: EVENTS }, (_, index) => eventOf(index + 1)).join("");
  const bytes = new TextEncoder().encode(text);
  const count = Math.ceil(bytes.length / chunkBytes);
  return Array.from({ length: count }, (_, index) =>
    bytes.slice(index * chunkBytes, (index + 1) * chunkBytes),
  );
}

/** A body that gives all events whenever it is asked, and waits for nothing. */
function bodyOf(chunkBytes: number, cancel: () => void = () => {}): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = chunksOf(chunkBytes).values();
  return new ReadableStream({
    pull(controller) {
      const { value } = chunks.next();
      if (value === undefined) controller.close();
      else controller.enqueue(value);
    },
    cancel,
  });
}

function responseOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): Response {
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** Takes events, each of which takes its time by the clock. */
function workOf(msPerEvent: number): { readonly taken: string[]; readonly take: (id: string) => void } {
  const taken: string[] = [];
  const start = Date.now();
  vi.spyOn(Date, "now").mockImplementation(() => start + taken.length * msPerEvent);
  return { taken, take: (id) => void taken.push(String(Number(id))) };
}

/** Reads until nobody wants it any more. */
async function readAll(
  response: Response,
  take: (id: string) => void,
  isWanted: () => boolean = () => true,
): Promise<void> {
  for await (const events of readEvents(response)) {
    for (const { id } of events) take(id ?? "");
    if (!isWanted()) return;
  }
}
