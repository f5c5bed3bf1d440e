/** The provider: one client for the components below it. */
import {
  createContext,
  useContext,
  useEffect,
  useInsertionEffect,
  useState,
  type Context,
  type ReactElement,
  type ReactNode,
} from "react";
import type { StreamProtocol } from "../../shared/protocols/protocol.ts";
import type { StreamEnd } from "../../shared/wire.ts";
import type { CheckpointStore } from "../checkpoints/checkpoint-store.ts";
import { sessionStorageCheckpoints } from "../checkpoints/session-storage.ts";
import { createStreamClient, type StreamClient } from "../stream-client.ts";
import type { Lazy, RequestOptions } from "../stream-request.ts";
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
  readonly onEnd: (
    cache: TCache,
    client: StreamClient<unknown>,
    id: string,
    end: StreamEnd,
    message: unknown,
  ) => void;
  readonly defaultProtocol: StreamProtocol<unknown>;
}

const ClientContext = createContext<StreamClient<unknown> | null>(null);

/** The client of the provider above. Throws where there is none. */
export function useStreamClient(): StreamClient<unknown> {
  const client = useContext(ClientContext);
  if (client !== null) return client;
  throw new Error('No rejoin provider: wrap the app in <ResumableStreamProvider endpoint="/api/streams">.');
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
    const { endpoint, scope = "", children } = props;
    const protocol = props.protocol ?? surroundings.defaultProtocol;
    const cache = useContext(surroundings.cache);
    const [latest] = useState(() => createLatest({ ...props, cache }));
    useInsertionEffect(() => latest.set({ ...props, cache }));

    const [checkpoints] = useState(() => props.checkpoints ?? sessionStorageCheckpoints());
    const [wake] = useState(() => props.wake ?? surroundings.wake);
    const [clients] = useState(() => new Map<string, StreamClient<unknown>>());

    // Another endpoint, scope or protocol shares nothing with this one.
    const name = JSON.stringify([endpoint, scope, protocol.name, protocol.version]);
    let client = clients.get(name);
    if (client === undefined) {
      const created = createStreamClient<unknown>({
        endpoint,
        scope,
        protocol,
        checkpoints,
        wake,
        ...latest.requestOptions,
        onEnd(id, end, message) {
          const { cache: cacheNow } = latest.get();
          if (cacheNow !== undefined) surroundings.onEnd(cacheNow, created, id, end, message);
        },
      });
      client = created;
      clients.set(name, client);
    }

    const current = client;
    useEffect(() => {
      for (const other of clients.values()) if (other !== current) other.dispose();
    }, [clients, current]);

    return <ClientContext.Provider value={current}>{children}</ClientContext.Provider>;
  };
}

interface LatestProps<TCache> extends RequestOptions {
  readonly cache: TCache | undefined;
}

/** Props that may change on each render and are no part of a session's identity. */
function createLatest<TCache>(initial: LatestProps<TCache>) {
  let latest = initial;
  const requestOptions: RequestOptions = {
    headers: () => (typeof latest.headers === "function" ? latest.headers() : (latest.headers ?? {})),
    fetch: (input, init) => {
      const { credentials, fetch = globalThis.fetch } = latest;
      return fetch(input, credentials === undefined ? init : { ...init, credentials });
    },
  };
  return {
    requestOptions,
    get: () => latest,
    set(next: LatestProps<TCache>): void {
      latest = next;
    },
  };
}
