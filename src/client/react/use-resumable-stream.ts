/** The hook: a stream's message, whatever happens to the connection. */
import { useEffect, useMemo, useRef } from "react";
import type { StreamProtocol } from "../../shared/protocols/protocol.ts";
import type { AssistantMessage } from "../../shared/protocols/assistant-stream/index.ts";
import type { StreamEventListener, StreamSession, StreamSessionState } from "../stream-session.ts";
import { useStreamClient } from "./provider.tsx";
import { useSelection, type Observable } from "./use-selection.ts";

/** What the hook returns without a selector. */
export interface ResumableStream<TMessage> extends Omit<StreamSessionState<TMessage>, "id"> {
  /** The stream; `undefined` while it is not known. */
  readonly id: string | undefined;
  /** Stops the stream, wherever it is produced. Resolves when the server has it; need not be awaited. */
  readonly stop: () => Promise<void>;
  /** Tries again at once, also after an error. */
  readonly retry: () => void;
}

/** What a selector is given. */
export type ResumableStreamState<TMessage> = Omit<StreamSessionState<TMessage>, "id"> & {
  readonly id: string | undefined;
};

/** Options of {@link useResumableStream}. All of them may change on each render. */
export interface UseResumableStreamOptions<TMessage> {
  /** The protocol of the provider, where its message type is to be known. It must be the provider's. */
  readonly protocol?: StreamProtocol<TMessage> | undefined;
  /** Called for each event, for side effects: at most once for an event over the life of the tab. */
  readonly onEvent?: StreamEventListener | undefined;
}

/** Options with a selector. */
export interface UseResumableStreamSelectOptions<
  TMessage,
  TSelection,
> extends UseResumableStreamOptions<TMessage> {
  /** What the component needs of the state: it renders again only when that changes. */
  readonly select: (state: ResumableStreamState<TMessage>) => TSelection;
  /** Whether two selections are the same; `Object.is` by default. */
  readonly isEqual?: ((a: TSelection, b: TSelection) => boolean) | undefined;
}

const whole = <TState>(state: TState): TState => state;

/**
 * Follows a stream. Components that ask for the same id share one session and one connection. While the id is
 * `undefined`, the state is `idle`; when it changes, the new stream shows at once.
 */
export function useResumableStream<TMessage = AssistantMessage>(
  id: string | undefined,
  options?: UseResumableStreamOptions<TMessage>,
): ResumableStream<TMessage>;
export function useResumableStream<TMessage = AssistantMessage, TSelection = unknown>(
  id: string | undefined,
  options: UseResumableStreamSelectOptions<TMessage, TSelection>,
): TSelection;
export function useResumableStream(
  id: string | undefined,
  options: Partial<UseResumableStreamSelectOptions<unknown, unknown>> = {},
): unknown {
  const client = useStreamClient();
  const { protocol, onEvent, select, isEqual } = options;
  if (
    protocol !== undefined &&
    (protocol.name !== client.protocol.name || protocol.version !== client.protocol.version)
  ) {
    throw new Error(
      `useResumableStream was given the protocol ${protocol.name} and its provider ${client.protocol.name}: give both the same.`,
    );
  }
  const session = id === undefined ? undefined : client.session(id);
  const source = useMemo(() => sourceOf(session), [session]);
  const idle = useMemo(() => idleState(id), [id]);

  const latest = useRef(onEvent);
  useEffect(() => {
    latest.current = onEvent;
  });
  // Before the subscription, which opens the connection: effects run in their order.
  const hasListener = onEvent !== undefined;
  useEffect(
    () => (hasListener ? session?.onEvent((payload, info) => latest.current?.(payload, info)) : undefined),
    [session, hasListener],
  );

  const selection = useSelection<ResumableStreamState<unknown>, unknown>(
    source,
    idle,
    select ?? whole,
    isEqual,
  );
  const actions = useMemo(() => actionsOf(session), [session]);
  const isWhole = select === undefined;
  return useMemo(() => {
    return isWhole && typeof selection === "object" ? { ...selection, ...actions } : selection;
  }, [isWhole, selection, actions]);
}

function sourceOf(session: StreamSession<unknown> | undefined): Observable<ResumableStreamState<unknown>> {
  if (session !== undefined) return session;
  const state = idleState(undefined);
  return { getState: () => state, subscribe: () => () => {} };
}

function actionsOf(
  session: StreamSession<unknown> | undefined,
): Pick<ResumableStream<unknown>, "stop" | "retry"> {
  return {
    stop: () => session?.stop() ?? Promise.resolve(),
    retry: () => session?.retry(),
  };
}

/** What the server renders, and a page while it hydrates. */
function idleState(id: string | undefined): ResumableStreamState<unknown> {
  return {
    id,
    status: "idle",
    message: undefined,
    cursor: "",
    error: null,
    isReplaying: false,
    isStopping: false,
    attempt: 0,
    nextRetryAt: null,
  };
}
