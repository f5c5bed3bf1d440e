/** The sessions of an app: one a stream, shared by all who ask for it. */
import type { StreamProtocol } from "../shared/protocols/protocol.ts";
import type { CheckpointStore } from "./checkpoints/checkpoint-store.ts";
import { LINGER_MS } from "./interest.ts";
import type { RequestOptions, RequestSource } from "./stream-request.ts";
import type { FinishedStream, StreamSession } from "./session-contract.ts";
import { createStreamSession } from "./stream-session.ts";
import type { WakeSource } from "./wake.ts";

/** What all sessions of an app have in common. */
export interface StreamSessionsOptions<TMessage> extends RequestOptions, RequestSource {
  /** Base path of the handler, such as `/api/streams`. */
  readonly endpoint: string;
  /** The language of the streams. */
  readonly protocol: StreamProtocol<TMessage>;
  /** Where checkpoints are kept; `sessionStorage` by default. */
  readonly checkpoints?: CheckpointStore | undefined;
  /** Whose checkpoints they are, such as a user's id. */
  readonly scope: string;
  readonly wake?: WakeSource | undefined;
  /** Called once for each stream that ends here. */
  readonly onEnd?: ((finished: FinishedStream<TMessage>) => void) | undefined;
}

/** The sessions of an app. */
export interface StreamSessions<TMessage> {
  /** What they have in common. */
  readonly common: StreamSessionsOptions<TMessage>;
  /** The session of a stream; made where there is none. */
  session(id: string): StreamSession<TMessage>;
  /** Lets go of all sessions. */
  dispose(): void;
}

/** Makes the sessions of an app. Does nothing until it is asked for one. */
export function createStreamSessions<TMessage>(
  common: StreamSessionsOptions<TMessage>,
): StreamSessions<TMessage> {
  const sessions = new Map<string, StreamSession<TMessage>>();

  function create(id: string): StreamSession<TMessage> {
    const session = createStreamSession<TMessage>({
      ...common,
      id,
      // Whoever kept it while it was let go may want it again.
      onWantedChange: (isWanted) => (isWanted ? sessions.has(id) || sessions.set(id, session) : forget()),
    });
    const forget = (): unknown => sessions.get(id) === session && sessions.delete(id);
    // One that was asked for while rendering may never be wanted: it has done nothing yet, and is forgotten.
    if (typeof window !== "undefined") setTimeout(() => session.isWanted() || forget(), LINGER_MS);
    sessions.set(id, session);
    return session;
  }

  return {
    common,
    session: (id) => sessions.get(id) ?? create(id),
    dispose() {
      for (const session of sessions.values()) session.dispose();
      sessions.clear();
    },
  };
}
