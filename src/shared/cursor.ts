/**
 * Stream ids, generations and cursors: their grammar, and nothing else.
 *
 * A generation is one acquisition of a stream id: nine base-36 digits of the store's clock in milliseconds, a dash, and
 * its claim, which is random. Digits are lower case and of fixed width, so comparing two generations as strings tells the newer.
 * A cursor is `<generation>.<seq>`: the position just after entry `seq`; `<generation>.0` is before the first.
 */
import { ResumableStreamError } from "./errors.ts";

const STREAM_ID = /^[A-Za-z0-9_.:-]{1,256}$/;
const URL_STREAM_ID = /^(?!\.\.?$)[A-Za-z0-9_.:-]{1,256}$/;
const GENERATION = /^[0-9a-z]{9}-[0-9a-z]{1,16}$/;
const TIME_DIGITS = 9;
const CURSOR = /^([0-9a-z]{9}-[0-9a-z]{1,16})\.(0|[1-9][0-9]{0,14})$/;

/** Whether a text names a stream: 1 to 256 of `A-Z a-z 0-9 _ . : -`. */
export function isStreamId(value: string): boolean {
  return STREAM_ID.test(value);
}

/** Throws `invalid-id` unless the text names a stream. */
export function assertStreamId(value: string): void {
  if (!isStreamId(value)) throw invalidId(value);
}

/** The error of a text that names no stream. */
export function invalidId(value: string): ResumableStreamError {
  const shown = JSON.stringify(String(value).slice(0, 64));
  return new ResumableStreamError(
    "invalid-id",
    `Invalid stream id ${shown}: use 1 to 256 of the characters A-Z a-z 0-9 _ . : - (a UUID is a good choice).`,
  );
}

/**
 * Whether a text names a stream in a URL. There `.` and `..` are path segments that clients resolve away
 * (RFC 3986, 5.2.4), so they name nothing.
 */
export function isUrlStreamId(value: string): boolean {
  return URL_STREAM_ID.test(value);
}

/** A position in a log. */
export interface Position {
  readonly generation: string;
  /** Sequence number of the last entry before the position; 0 is before the first. */
  readonly seq: number;
}

/** Writes a cursor. */
export function formatCursor(generation: string, seq: number): string {
  return `${generation}.${seq}`;
}

/** Reads a cursor; `null` when the text is not one. The start, `""`, is not a cursor: ask for it first. */
export function parseCursor(cursor: string): Position | null {
  const [, generation, seq] = CURSOR.exec(cursor) ?? [];
  return generation === undefined ? null : { generation, seq: Number(seq) };
}

/** Whether a text is a generation. */
export function isGeneration(value: string): boolean {
  return GENERATION.test(value);
}

/**
 * Makes the generation of an acquisition at `nowMs`, the store's clock.
 *
 * @param previous the generation before it, where one is known: the new one is newer even if the clock went back.
 */
export function createGeneration(nowMs: number, previous?: string, claim: string = createClaim()): string {
  const floor = previous === undefined ? 0 : Number.parseInt(previous.slice(0, TIME_DIGITS), 36) + 1;
  const time = Math.max(floor, Math.floor(nowMs)).toString(36).padStart(TIME_DIGITS, "0").slice(-TIME_DIGITS);
  return `${time}-${claim}`;
}

/** Draws the random part of a generation. */
export function createClaim(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => (byte % 36).toString(36)).join("");
}

/** The random part of a generation. */
export function claimOf(generation: string): string {
  return generation.slice(TIME_DIGITS + 1);
}
