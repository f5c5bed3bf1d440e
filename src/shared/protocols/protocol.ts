/**
 * The contract between rejoin and the language of a stream's payloads.
 *
 * A protocol is a value: its name, and how its payloads fold into the message that users see. The same fold runs on the
 * client, which shows the message, and on the server, which hands it to the app to save, so both end with the same one.
 *
 * Laws, for every list of payloads and every cut of it:
 * - `fold(snapshot of the first part)` given the rest ends with the same view, byte for byte under `JSON.stringify`, as
 *   one fold given all of it;
 * - `apply` never throws, and costs amortised O(payload) whatever the message's length;
 * - nothing reads the clock, a random source, or makes an id.
 */
import type { JsonValue } from "../json/json-value.ts";
import type { StreamEnd } from "../wire.ts";

/** A language of payloads, with its fold. */
export interface StreamProtocol<TMessage> {
  /** Stable name, stored with the stream and in checkpoints. */
  readonly name: string;
  /** Raised when the snapshot's shape changes; a checkpoint of another name or version is dropped. */
  readonly version: number;
  /**
   * A payload that says that the source is complete and says nothing else, such as `[DONE]`. It is never stored; it is
   * sent again at the end to clients that do not ask for control events.
   */
  readonly endMarker?: string;
  /** A new fold; with a snapshot, one that goes on from there. A snapshot it cannot read throws. */
  fold(snapshot?: JsonValue): StreamFold<TMessage>;
  /** Whether the payloads applied so far say that the source ended as its protocol ends. */
  isComplete(fold: StreamFold<TMessage>): boolean;
}

/** The state that grows with each payload. */
export interface StreamFold<TMessage> {
  /** Takes the next payload. Unknown or damaged ones are kept as data or passed over with one warning. */
  apply(payload: string): void;
  /** The stream's own end. What still runs in the message stops running. Applying it twice changes nothing. */
  end(end: StreamEnd): void;
  /** The message. Immutable; the same reference until the next `apply`; parts that did not change keep identity. */
  view(): TMessage;
  /** All that a new fold needs to go on from here, as JSON. */
  snapshot(): JsonValue;
}

/** The message type of a protocol. */
export type MessageOf<TProtocol> = TProtocol extends StreamProtocol<infer TMessage> ? TMessage : never;
