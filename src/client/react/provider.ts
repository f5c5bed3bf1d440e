"use client";
/** The provider: the sessions of the components below it. */
import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useInsertionEffect,
  useMemo,
  useRef,
  useState,
  type Context,
  type ReactElement,
  type ReactNode,
} from "react";
import type { StreamProtocol } from "../../shared/protocols/protocol.ts";
import type { CheckpointStore } from "../checkpoints/checkpoint-store.ts";
import { retainScope } from "../checkpoints/checkpoint-area.ts";
import type { Lazy } from "../stream-request.ts";
import type { FinishedStream } from "../session-contract.ts";
import { createStreamSessions, type StreamSessions } from "../stream-sessions.ts";
import type { WakeSource } from "../wake.ts";

/** What the provider is told. */
export interface ResumableStreamProviderProps<TMessage> {
  /** Base path of the handler, such as `/api/streams`. */
  readonly endpoint: string;
  /** The language of the streams; `assistantStream` by default. */
  readonly protocol?: StreamProtocol<TMessage> | undefined;
  /** Whose checkpoints these are, such as a user's id. Those of another scope are dropped. */
  readonly scope?: string | undefined;
  /** Headers of every request; a function is called at every attempt. May change on each render. */
  readonly headers?: Lazy<HeadersInit> | undefined;
  /** `fetch`, or something like it. May change on each render. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** As of `fetch`. May change on each render. */
  readonly credentials?: RequestCredentials | undefined;
  /** Where checkpoints are kept; `sessionStorage` by default. The one of the first render is used. */
  readonly checkpoints?: CheckpointStore | undefined;
  /** What tells that a request may work again. The one of the first render is used. */
  readonly wake?: WakeSource | undefined;
  readonly children?: ReactNode;
}

/** What a provider takes from its surroundings. */
export interface ProviderSurroundings<TCache> {
  readonly wake: WakeSource;
  /** A cache that is told of finished messages, where there is one. */
  readonly cache: Context<TCache | undefined>;
  readonly onFinished: (
    cache: TCache,
    scope: { readonly endpoint: string; readonly scope: string },
    finished: FinishedStream<unknown>,
  ) => void;
  readonly defaultProtocol: StreamProtocol<unknown>;
}

const SessionsContext = createContext<StreamSessions<unknown> | null>(null);

/** The sessions of the provider above. Throws where there is none. */
export function useStreamSessions(): StreamSessions<unknown> {
  const sessions = useContext(SessionsContext);
  if (sessions !== null) return sessions;
  throw new Error("No ResumableStreamProvider.");
}

/** A provider. */
export type ResumableStreamProviderComponent = <TMessage>(
  props: ResumableStreamProviderProps<TMessage>,
) => ReactElement;

/** Makes the provider for its surroundings. */
export function createResumableStreamProvider<TCache>(
  surroundings: ProviderSurroundings<TCache>,
): ResumableStreamProviderComponent {
  return function ResumableStreamProvider<TMessage>(
    props: ResumableStreamProviderProps<TMessage>,
  ): ReactElement {
    const { endpoint, scope = "", protocol = surroundings.defaultProtocol, children } = props;
    const cache = useContext(surroundings.cache);
    const [{ checkpoints, wake = surroundings.wake }] = useState(props);

    // Another endpoint, scope or protocol shares nothing with this one; what else may change on each render is no part of it.
    const sessions = useMemo(() => {
      const made: StreamSessions<unknown> = createStreamSessions<unknown>({
        endpoint,
        scope,
        protocol,
        checkpoints,
        wake,
        requestOptions() {
          if (latest.current.sessions === made) return latest.current;
          // A start that is repeated, say: nothing of one user is sent with another one's headers.
          throw new Error("The provider has changed.");
        },
        onEnd(finished) {
          const { cache: cacheNow } = latest.current;
          if (cacheNow) surroundings.onFinished(cacheNow, { endpoint, scope }, finished);
        },
      });
      return made;
      // oxlint-disable-next-line react/exhaustive-deps -- A protocol is known by its name and version.
    }, [endpoint, scope, protocol.name, protocol.version, checkpoints, wake]);
    const now = { ...props, cache, sessions };
    const latest = useRef(now);
    useInsertionEffect(() => {
      latest.current = now;
    });

    const mounted = useRef(sessions);
    useEffect(() => {
      // First, so that what the one before does last is stored for nobody.
      retainScope(scope, checkpoints);
      if (mounted.current !== sessions) mounted.current.dispose();
      mounted.current = sessions;
    }, [sessions, scope, checkpoints]);

    return createElement(SessionsContext.Provider, { value: sessions }, children);
  };
}
