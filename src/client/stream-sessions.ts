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
  const entries = new Map<string, Entry<TMessage>>();

  function create(id: string): StreamSession<TMessage> {
    const madeAt = Date.now();
    // One that was asked for while rendering may never be wanted: it has done nothing yet, and is forgotten.
    for (const [key, entry] of entries) {
      if (!entry.session.isWanted() && madeAt - entry.madeAt > LINGER_MS) entries.delete(key);
    }
    const session = createStreamSession<TMessage>({
      ...common,
      id,
      onWantedChange(isWanted) {
        // Whoever kept it while it was let go may want it again.
        if (isWanted && !entries.has(id)) entries.set(id, made);
        else if (!isWanted && entries.get(id) === made) entries.delete(id);
      },
    });
    const made = { session, madeAt };
    entries.set(id, made);
    return session;
  }

  return {
    common,
    session: (id) => entries.get(id)?.session ?? create(id),
    dispose() {
      for (const { session } of entries.values()) session.dispose();
      entries.clear();
    },
  };
}

interface Entry<TMessage> {
  readonly session: StreamSession<TMessage>;
  readonly madeAt: number;
}
