/** What stores throw. */
import { parseCursor, type Position } from "../../shared/cursor.ts";
import { ResumableStreamError } from "../../shared/errors.ts";
import type { LeaseLoss } from "./stream-store.ts";

/** Reads a cursor, or throws `invalid-cursor`. */
export function requireCursor(cursor: string): Position {
  const position = parseCursor(cursor);
  if (position !== null) return position;
  throw new ResumableStreamError("invalid-cursor", `Not a cursor: ${JSON.stringify(cursor.slice(0, 64))}.`);
}

/** For a stream that is not there. */
export function notFound(streamId: string): ResumableStreamError {
  return new ResumableStreamError("missing", `Stream not found: ${streamId}`);
}

/** For a lease that gives no right. */
export function lossError(streamId: string, loss: LeaseLoss): ResumableStreamError {
  switch (loss.verdict) {
    case "ended":
      return new ResumableStreamError("finalized", `Stream already finalized: ${streamId}`);
    case "superseded":
      return new ResumableStreamError("missing", `Stream superseded by a new acquisition: ${streamId}`);
    case "deleted":
    case "vanished":
      return notFound(streamId);
  }
}
