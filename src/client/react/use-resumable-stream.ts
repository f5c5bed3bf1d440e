"use client";
/** The hook: a stream's message, whatever happens to the connection. */
import { useEffect, useMemo } from "react";
import type { StreamProtocol } from "../../shared/protocols/protocol.ts";
import { initialConnection, shownOf } from "../connection.ts";
import type { StreamEventListener } from "../side-effects.ts";
import type { StreamSession, StreamSessionState } from "../session-contract.ts";
import { useStreamSessions } from "./provider.ts";
import type { RegisteredMessage } from "./register.ts";
import { useSelection } from "./use-selection.ts";

/** What is known of a stream, and what a selector is given. */
export interface ResumableStreamState<TMessage> extends Omit<StreamSessionState<TMessage>, "id"> {
  /** The stream; `undefined` while it is not known. */
  readonly id: string | undefined;
}

/** What the hook returns without a selector. */
export interface ResumableStream<TMessage> extends ResumableStreamState<TMessage> {
  /**
   * Stops the stream, wherever it is produced. Resolves when the server has it; need not be awaited: a refusal is in `error`
   * too. The same function as long as the stream is the same.
   */
  readonly stop: () => Promise<void>;
  /** Tries again at once, also after an error. The same function as long as the stream is the same. */
  readonly retry: () => void;
}

/** Options of {@link useResumableStream}. All of them may change on each render. */
export interface UseResumableStreamOptions<TMessage> {
  /**
   * The provider's protocol, for the type of its messages; see {@link Register} to say it once. Throws where it is not the
   * provider's.
   */
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

/**
 * Follows a stream. Components that ask for the same id share one session and one connection. While the id is
 * `undefined`, the state is `idle`; when it changes, the new stream shows at once. Its messages are those of the protocol in
 * the options, else of the one that the app registered ({@link Register}), else assistant-ui's.
 */
export function useResumableStream<TMessage = RegisteredMessage, TSelection = unknown>(
  id: string | undefined,
  options: UseResumableStreamSelectOptions<TMessage, TSelection>,
): TSelection;
export function useResumableStream<TMessage = RegisteredMessage>(
  id: string | undefined,
  options?: UseResumableStreamOptions<TMessage>,
): ResumableStream<TMessage>;
export function useResumableStream(
  id: string | undefined,
  { protocol, onEvent, select, isEqual }: Partial<UseResumableStreamSelectOptions<unknown, unknown>> = {},
): unknown {
  const sessions = useStreamSessions();
  const expected = sessions.common.protocol;
  if (protocol !== undefined && (protocol.name !== expected.name || protocol.version !== expected.version)) {
    throw new Error("The provider has another protocol.");
  }
  const stream = useMemo(() => {
    // Asked for anew each time: one that nobody wanted for a while, as that of a hidden component, has had its day.
    const session = (): StreamSession<unknown> | undefined =>
      id === undefined ? undefined : sessions.session(id);
    // What the server renders, and a page while it hydrates, or does not know the id.
    const idle = { id, ...shownOf(initialConnection()), message: undefined, cursor: "" };
    const stop = (): Promise<void> => session()?.stop() ?? Promise.resolve();
    const retry = (): void => session()?.retry();
    return {
      idle,
      getState: () => session()?.getState() ?? idle,
      subscribe: (listener: () => void) => session()?.subscribe(listener) ?? (() => {}),
      onEvent: (listener: StreamEventListener) => session()?.onEvent(listener),
      whole: (state: ResumableStreamState<unknown>) => ({ ...state, stop, retry }),
    };
  }, [sessions, id]);

  // Before the subscription, which opens the connection: effects run in their order.
  useEffect(() => (onEvent === undefined ? undefined : stream.onEvent(onEvent)), [stream, onEvent]);

  return useSelection<ResumableStreamState<unknown>, unknown>(stream, select ?? stream.whole, isEqual);
}
