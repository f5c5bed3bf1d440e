/** What a checkpoint holds, and its text. Whatever is damaged, foreign or outdated reads as none. */
import { parseCursor } from "../../shared/cursor.ts";
import { isObject, isString, parseJson, type JsonValue } from "../../shared/json/json-value.ts";
import type { StreamProtocol } from "../../shared/protocols/protocol.ts";
import { isEndStatus, type StreamEnd } from "../../shared/wire.ts";
import { readPublicError } from "../failure.ts";

/** All that a session knows of a stream: one value, written as a whole, so that its parts always belong together. */
export interface Checkpoint {
  /** `""` before the first event. */
  readonly cursor: string;
  /** The fold at the cursor. */
  readonly snapshot: JsonValue;
  /** How the stream ended, once it has. */
  readonly end: StreamEnd | undefined;
  /** The stream was started in this tab. */
  readonly started: boolean;
  /** Somebody pressed stop, and the server may not know it yet. */
  readonly stopping: boolean;
}

/** Raised when the shape above changes. */
const FORMAT = 1;

/** The protocol whose fold wrote the snapshot. */
type Protocol = Pick<StreamProtocol<unknown>, "name" | "version">;

/** What a checkpoint's text begins with: that of another format or protocol begins otherwise. */
function headOf({ name, version }: Protocol): string {
  return `${FORMAT}|${name}|${version}|`;
}

/** Writes a checkpoint of a protocol. */
export function writeCheckpoint(protocol: Protocol, checkpoint: Checkpoint): string {
  return headOf(protocol) + JSON.stringify(checkpoint);
}

/** Reads a checkpoint of a protocol; `undefined` for anything else. */
export function readCheckpoint(protocol: Protocol, text: string | null): Checkpoint | undefined {
  const head = headOf(protocol);
  const value = text?.startsWith(head) ? parseJson(text.slice(head.length)) : undefined;
  if (!isObject(value)) return undefined;
  const { cursor, snapshot, end, started, stopping } = value;
  if (!isString(cursor) || snapshot === undefined) return undefined;
  if (cursor !== "" && parseCursor(cursor) === null) return undefined;
  return {
    cursor,
    snapshot,
    end: readStreamEnd(end),
    started: started === true,
    stopping: stopping === true,
  };
}

/** Reads a stream's end, from storage or from the wire; `undefined` where it is none. */
export function readStreamEnd(value: unknown): StreamEnd | undefined {
  const { status, error: told } = isObject(value) ? value : {};
  if (!isEndStatus(status)) return undefined;
  const error = readPublicError(told);
  return error === undefined ? { status } : { status, error };
}
