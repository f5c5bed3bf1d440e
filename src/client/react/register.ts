/** The app's own protocol, in the types. */
import type { AssistantMessage } from "../../shared/protocols/assistant-stream/index.ts";
import type { StreamProtocol } from "../../shared/protocols/protocol.ts";

/**
 * An app whose provider has another protocol than the default one says so once, and every hook knows its messages:
 *
 * ```ts
 * declare module "rejoin" {
 *   interface Register {
 *     protocol: typeof myProtocol;
 *   }
 * }
 * ```
 *
 * Types only: the protocol itself is the provider's. A hook that names a `protocol` in its options has that one's messages.
 */
export interface Register {}

/** The message of the protocol that the app registered; of the default one where it registered none. */
export type RegisteredMessage = Register extends { readonly protocol: StreamProtocol<infer TMessage> }
  ? TMessage
  : AssistantMessage;
