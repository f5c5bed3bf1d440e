/** Defaults that all stores share, and the texts of their limits. */
import { ResumableStreamError } from "../../shared/errors.ts";
import type { EntryPayload, StreamLimits } from "./stream-store.ts";

/** How long a stream is kept after its last append or renewal: 24 hours. */
export const DEFAULT_TTL_MS: number = 24 * 60 * 60 * 1000;

/** The bounds of a stream where the app gives none. */
export const DEFAULT_LIMITS: StreamLimits = {
  maxChunkBytes: 1024 * 1024,
  maxEntriesPerStream: 100_000,
  maxStreamBytes: 8 * 1024 * 1024,
};

/** Fills in the defaults. Throws where a bound is not a positive whole number. */
export function resolveLimits(options: {
  readonly [K in keyof StreamLimits]?: number | undefined;
}): StreamLimits {
  const limits = {
    maxChunkBytes: options.maxChunkBytes ?? DEFAULT_LIMITS.maxChunkBytes,
    maxEntriesPerStream: options.maxEntriesPerStream ?? DEFAULT_LIMITS.maxEntriesPerStream,
    maxStreamBytes: options.maxStreamBytes ?? DEFAULT_LIMITS.maxStreamBytes,
  };
  for (const [name, value] of Object.entries(limits)) assertPositiveInteger(name, value);
  return limits;
}

/** Throws `RangeError` unless an option is a positive whole number. */
export function assertPositiveInteger(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new RangeError(`${name} must be a positive whole number, got ${value}.`);
}

/** What a caller gets who passes a limit. */
export function limitExceeded(
  streamId: string,
  limit: keyof StreamLimits,
  limits: StreamLimits,
): ResumableStreamError {
  return new ResumableStreamError(
    "limit-exceeded",
    `Stream exceeded ${limit} (${limits[limit]}): ${streamId}. Raise ${limit} in the store's options if answers may be this large.`,
  );
}

const encoder = new TextEncoder();

/** Bytes of an entry: of a text, in UTF-8. */
export function payloadBytes(payload: EntryPayload): number {
  return typeof payload === "string" ? utf8Length(payload) : payload.byteLength;
}

/** Node counts by itself. Elsewhere counting beats encoding for the short texts that most events are. */
function utf8Length(text: string): number {
  const { Buffer } = globalThis;
  if (Buffer !== undefined) return Buffer.byteLength(text);
  if (text.length > 4096) return encoder.encode(text).byteLength;
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // A surrogate is half of a four-byte character.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/** The entry as bytes of the caller's own. */
export function payloadToBytes(payload: EntryPayload): Uint8Array<ArrayBuffer> {
  return typeof payload === "string" ? encoder.encode(payload) : new Uint8Array(payload);
}
