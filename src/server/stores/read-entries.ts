/** What all stores' `follow` and `read` have in common. */
import { formatCursor, type Position } from "../../shared/cursor.ts";
import { ResumableStreamError } from "../../shared/errors.ts";
import { payloadToBytes } from "./limits.ts";
import { notFound } from "./store-errors.ts";
import type { FollowItem, ResumableStreamEntry, StreamRecord } from "./stream-store.ts";

/**
 * Where in a log a position is. One past the end of a living log is kept: its producer will send that far again. One past
 * the end of an ended log, or of another generation, is nowhere: reading begins anew.
 */
export function locate(
  record: StreamRecord,
  position: Position | undefined,
): { seq: number; reset: boolean } {
  if (position === undefined) return { seq: 0, reset: false };
  const ahead = position.seq > record.lastSeq && record.status !== "streaming";
  if (position.generation !== record.generation || ahead) return { seq: 0, reset: true };
  return { seq: position.seq, reset: false };
}

/** What a follower is told, as `read` tells it: entries of one generation as bytes, an error as a throw. */
export async function* readEntries(
  streamId: string,
  items: AsyncIterable<FollowItem>,
  signal: AbortSignal,
): AsyncGenerator<ResumableStreamEntry> {
  let generation = "";
  for await (const item of items) {
    if (item.type === "position") {
      if (generation !== "") return;
      generation = item.record.generation;
    } else if (item.type === "entries") {
      let seq = item.firstSeq;
      for (const payload of item.payloads) {
        if (signal.aborted) return;
        yield { cursor: formatCursor(generation, seq), chunk: payloadToBytes(payload) };
        seq += 1;
      }
    } else if (item.type === "end" && !signal.aborted) {
      throwEnd(streamId, item.end, generation !== "");
    }
  }
}

function throwEnd(
  streamId: string,
  end: Extract<FollowItem, { type: "end" }>["end"],
  wasThere: boolean,
): void {
  if (end.status === "missing") {
    if (!wasThere) throw notFound(streamId);
    if (end.error.code === "expired")
      throw new ResumableStreamError("expired", `Stream expired: ${streamId}`);
  } else if (end.status === "error") {
    throw new ResumableStreamError(
      end.error?.code ?? "source-failed",
      end.error?.message ?? "Stream errored",
    );
  }
}
