/** What a session is: the client's connection to one stream, to those who use it. */
import type { StreamProtocol } from "../shared/protocols/protocol.ts";
import type { StreamEnd } from "../shared/wire.ts";
import type { CheckpointStore } from "./checkpoints/checkpoint-store.ts";
import type { ShownConnection } from "./connection.ts";
import type { StreamEventListener } from "./side-effects.ts";
import type { RequestOptions, RequestSource } from "./stream-request.ts";
import type { WakeSource } from "./wake.ts";

/** What is known of a stream. A new object whenever something changed; its parts always belong together. */
export interface StreamSessionState<TMessage> extends ShownConnection {
  readonly id: string;
  /** The message so far; `undefined` while nothing is known of it. Immutable. */
  readonly message: TMessage | undefined;
  /** The position that the message stands for; `""` at the start. */
  readonly cursor: string;
}

/** A stream that has ended, with its message as it ended. */
export interface FinishedStream<TMessage> {
  readonly id: string;
  readonly end: StreamEnd;
  readonly message: TMessage | undefined;
}

/** Options of {@link createStreamSession}. */
export interface StreamSessionOptions<TMessage> extends RequestOptions, RequestSource {
  /** The stream. */
  readonly id: string;
  /** Base path of the handler, such as `/api/streams`. */
  readonly endpoint: string;
  /** The language of the stream's payloads. */
  readonly protocol: StreamProtocol<TMessage>;
  /** Where checkpoints are kept; `sessionStorage` by default. */
  readonly checkpoints?: CheckpointStore | undefined;
  /** Whose checkpoints they are, such as a user's id. Those of another scope are dropped. */
  readonly scope?: string | undefined;
  /** What tells that a request may work again; the page by default. */
  readonly wake?: WakeSource | undefined;
  /** Called when somebody wants the session, and when nobody has for a while and it let go of its connection. */
  readonly onWantedChange?: ((isWanted: boolean) => void) | undefined;
  /** Called once when the stream has ended; or, where it ended before a reload, once somebody wants the session. */
  readonly onEnd?: ((finished: FinishedStream<TMessage>) => void) | undefined;
}

/** The connection to one stream. */
export interface StreamSession<TMessage> {
  readonly id: string;
  getState(): StreamSessionState<TMessage>;
  /**
   * Calls `listener` after each change of the state. The first subscriber opens the connection; 5 s after the last one
   * left it is let go, and the state stays.
   */
  subscribe(listener: () => void): () => void;
  /** Whether somebody subscribed, connected, or left less than 5 s ago. */
  isWanted(): boolean;
  /** Opens the connection, and keeps it until {@link StreamSession.dispose}. */
  connect(): void;
  /** Registers for side effects. Register before the connection is opened, to miss nothing. */
  onEvent(listener: StreamEventListener): () => void;
  /**
   * Tells that {@link StreamSession.start} will be called in a moment: until then nothing is asked for the stream, which is
   * not there yet. Nothing happens where it is.
   */
  expectStart(): void;
  /**
   * Sends the request that starts the stream and reads its response; sends nothing where the stream is here already, as
   * after a response that was lost. Resolves when the response is there; rejects with a {@link RequestError} when it is
   * not, while the session goes on by itself where the stream may have been started; with `network` also when the session
   * is disposed of before.
   */
  start(send: (signal: AbortSignal) => Promise<Response>): Promise<void>;
  /**
   * Stops the stream, wherever it is produced. The wish is stored, so that a reload sends it again, and repeated until the
   * server has it. Resolves then, or when the stream has ended. Rejects when the server refuses; and with `network` when the
   * session is disposed of before: the wish stays stored, and is sent when somebody wants the stream again.
   */
  stop(): Promise<void>;
  /** Tries again at once, also after an error. Nothing happens to a stream that is done. */
  retry(): void;
  /** Lets go of everything. A later `connect` or subscription takes it up again. */
  dispose(): void;
}
