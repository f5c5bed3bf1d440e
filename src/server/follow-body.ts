/**
 * Bodies of follow responses. {@link renderEvents} is the one place that writes our SSE, for a POST as for a GET; both
 * pull at the reader's pace, so a slow follower costs a page and no more.
 */
import { formatCursor } from "../shared/cursor.ts";
import { ResumableStreamError } from "../shared/errors.ts";
import { formatSseComment, formatSseEvent } from "../shared/sse.ts";
import { END_EVENT, LIVE_EVENT, RESET_EVENT, type LiveControl, type StreamEnd } from "../shared/wire.ts";
import type { Follower } from "./follower.ts";
import { payloadToBytes } from "./stores/limits.ts";
import type { FollowItem } from "./stores/stream-store.ts";
import { unrefTimer } from "./timers.ts";

/** How a stream of events is rendered. */
export interface EventsRendering {
  /** Whether the client asked for control events. */
  readonly control: boolean;
  /** The protocol's end marker, for clients that did not. */
  readonly endMarker: string | undefined;
  /** Milliseconds of silence until a comment is sent. */
  readonly heartbeatMs: number;
}

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

const encoder = new TextEncoder();

/** Renders a stream of events as SSE. Cancelling the body aborts `abort` and waits for the follower to let go. */
export function renderEvents(items: Follower, abort: AbortController, rendering: EventsRendering): Body {
  const render = rendering.control ? controlRenderer(rendering) : plainRenderer(rendering);
  const end = (): Promise<void> => {
    silence.close();
    return letGo(items, abort);
  };
  let body: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  const silence = createSilence(rendering.heartbeatMs, () => {
    // One that nobody has read yet is enough.
    if (body.desiredSize === 0) body.enqueue(encoder.encode(formatSseComment("heartbeat")));
  });
  // Of each event of each follower: no more is made anew than has to be.
  const fail = async (error: unknown): Promise<void> => {
    await end();
    body.error(error);
  };
  const take = (result: Awaited<ReturnType<Follower["next"]>>): Promise<void> | undefined => {
    silence.end();
    const { text, last } = result.done === true ? END : render(result.value);
    if (text !== "") body.enqueue(encoder.encode(text));
    if (last) return end().then(() => body.close());
    return text === "" ? pull() : undefined;
  };
  const pull = (): Promise<void> => {
    silence.begin();
    return items.next().then(take).catch(fail);
  };
  return new ReadableStream(
    {
      start: (controller) => void (body = controller),
      pull,
      cancel: end,
    },
    // Nothing is read ahead of the reader.
    { highWaterMark: 0 },
  );
}

/** Gives back the bytes of a stream of bytes. Errors where the stream ended with an error. */
export function renderBytes(streamId: string, items: Follower, abort: AbortController): Body {
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          for (;;) {
            const result = await items.next();
            if (result.done === true) break;
            const item = result.value;
            if (item.type === "entries") {
              for (const payload of item.payloads) controller.enqueue(payloadToBytes(payload));
              return;
            }
            if (item.type !== "end") continue;
            if (
              item.end.status === "error" ||
              (item.end.status === "missing" && item.end.error.code === "expired")
            ) {
              const message =
                item.end.status === "missing" ? `Stream expired: ${streamId}` : item.end.error?.message;
              throw new ResumableStreamError(
                item.end.error?.code ?? "source-failed",
                message ?? "Stream errored",
              );
            }
            break;
          }
          await letGo(items, abort);
          controller.close();
        } catch (error) {
          await letGo(items, abort);
          controller.error(error);
        }
      },
      cancel: () => letGo(items, abort),
    },
    { highWaterMark: 0 },
  );
}

interface Rendered {
  readonly text: string;
  /** Whether the response ends here. */
  readonly last: boolean;
}

const NOTHING: Rendered = { text: "", last: false };
const END: Rendered = { text: "", last: true };

function controlRenderer({ heartbeatMs }: EventsRendering): (item: FollowItem) => Rendered {
  let generation = "";
  let seq = 0;
  return (item) => {
    switch (item.type) {
      case "position": {
        const changed = generation !== "" || item.reset;
        generation = item.record.generation;
        seq = item.seq;
        return changed ? { text: control(RESET_EVENT, {}), last: false } : NOTHING;
      }
      case "entries": {
        const text = renderEntries(generation, item);
        seq = item.firstSeq + item.payloads.length - 1;
        return { text, last: false };
      }
      case "live": {
        const data: LiveControl = { heartbeatMs };
        return { text: control(LIVE_EVENT, data), last: false };
      }
      case "end": {
        const data: StreamEnd = item.end;
        return { text: control(END_EVENT, data), last: true };
      }
    }
  };

  function control(event: string, data: object): string {
    const id = generation === "" ? {} : { id: formatCursor(generation, seq) };
    return formatSseEvent({ ...id, event, data: JSON.stringify(data) });
  }
}

/** For a client that knows only SSE: the payloads, and at a good end the protocol's marker. */
function plainRenderer({ endMarker }: EventsRendering): (item: FollowItem) => Rendered {
  let generation = "";
  return (item) => {
    switch (item.type) {
      case "position": {
        // It cannot be told to start anew. A cut is what it understands; its old position is answered with 204.
        const isLost = generation !== "" || item.reset;
        generation = item.record.generation;
        return { text: "", last: isLost };
      }
      case "entries":
        return { text: renderEntries(generation, item), last: false };
      case "live":
        // Some servers send headers with the first byte only.
        return { text: formatSseComment("live"), last: false };
      case "end": {
        const isWhole = item.end.status === "done" || item.end.status === "stopped";
        return {
          text: isWhole && endMarker !== undefined ? formatSseEvent({ data: endMarker }) : "",
          last: true,
        };
      }
    }
  };
}

function renderEntries(generation: string, item: Extract<FollowItem, { type: "entries" }>): string {
  let text = "";
  let seq = item.firstSeq;
  for (const payload of item.payloads) {
    const data = typeof payload === "string" ? payload : new TextDecoder().decode(payload);
    text += formatSseEvent({ id: formatCursor(generation, seq), data });
    seq += 1;
  }
  return text;
}

/** Tells of silence while somebody waits, again and again. One timer for all waiting, since most of it is short. */
interface Silence {
  begin(): void;
  end(): void;
  close(): void;
}

function createSilence(ms: number, tell: () => void): Silence {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sinceMs: number | undefined;

  function check(): void {
    timer = undefined;
    if (sinceMs === undefined) return;
    let leftMs = sinceMs + ms - performance.now();
    if (leftMs <= 0) {
      tell();
      sinceMs = performance.now();
      leftMs = ms;
    }
    arm(leftMs);
  }

  function arm(delayMs: number): void {
    timer = setTimeout(check, delayMs);
    unrefTimer(timer);
  }

  return {
    begin() {
      sinceMs = performance.now();
      if (timer === undefined) arm(ms);
    },
    end() {
      sinceMs = undefined;
    },
    close: () => clearTimeout(timer),
  };
}

async function letGo(items: Follower, abort: AbortController): Promise<void> {
  abort.abort();
  await items.return();
}
