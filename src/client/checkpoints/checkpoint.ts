/** What a checkpoint holds, and its text. Whatever is damaged, foreign or outdated reads as none. */
import { parseCursor } from "../../shared/cursor.ts";
import { isStreamErrorCode, publicMessageOf } from "../../shared/errors.ts";
import type { JsonValue } from "../../shared/json/json-value.ts";
import type { EndStatus, StreamEnd } from "../../shared/wire.ts";

/** All that a session knows of a stream: one value, written as a whole, so that its parts always belong together. */
export interface Checkpoint {
  /** Name and version of the protocol whose fold wrote the snapshot. */
  readonly protocol: string;
  readonly version: number;
  /** `""` before the first event. */
  readonly cursor: string;
  /** The fold at the cursor; `null` before the first event. */
  readonly snapshot: JsonValue;
  /** How the stream ended, once it has. */
  readonly end?: StreamEnd | undefined;
  /** The stream was started in this tab. */
  readonly started?: boolean | undefined;
  /** Somebody pressed stop, and the server may not know it yet. */
  readonly stopping?: boolean | undefined;
}

/** Raised when the shape above changes. */
const FORMAT = 1;

/** Writes a checkpoint. */
export function writeCheckpoint(checkpoint: Checkpoint): string {
  return JSON.stringify({ format: FORMAT, ...checkpoint });
}

/** Reads a checkpoint of a protocol; `null` for anything else. */
export function readCheckpoint(
  text: string | null,
  protocol: { readonly name: string; readonly version: number },
): Checkpoint | null {
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || value["format"] !== FORMAT) return null;
  if (value["protocol"] !== protocol.name || value["version"] !== protocol.version) return null;
  const { cursor, snapshot, end, started, stopping } = value;
  if (typeof cursor !== "string" || (cursor !== "" && parseCursor(cursor) === null)) return null;
  if (!isJson(snapshot)) return null;
  return {
    protocol: protocol.name,
    version: protocol.version,
    cursor,
    snapshot,
    end: readStreamEnd(end) ?? undefined,
    started: started === true,
    stopping: stopping === true,
  };
}

const END_STATUSES: readonly EndStatus[] = ["done", "error", "stopped", "missing"];

/**
 * Reads a stream's end, from storage or from the wire; `null` where it is none. A code that this version does not know is
 * still an error.
 */
export function readStreamEnd(value: unknown): StreamEnd | null {
  if (!isRecord(value)) return null;
  const status = END_STATUSES.find((known) => known === value["status"]);
  if (status === undefined) return null;
  const { error } = value;
  if (!isRecord(error)) return { status };
  const code = isStreamErrorCode(error["code"]) ? error["code"] : "internal";
  return {
    status,
    error: { code, message: typeof error["message"] === "string" ? error["message"] : publicMessageOf(code) },
  };
}

function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}

/** Whether a value is an object with fields. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
