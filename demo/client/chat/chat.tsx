import {
  createStreamId,
  useResumableStream,
  useStartStream,
  useStopStream,
  useStreamClient,
  type ClientStatus,
} from "rejoin";
import {
  useCallback,
  useEffect,
  useRef,
  useSyncExternalStore,
  type MouseEvent,
  type ReactElement,
} from "react";
import { CHAT_PATH, type ChatRequest } from "../../shared/conversation.ts";
import { Answer } from "../answer/answer.tsx";
import { isFinal } from "../answer/answer-view.tsx";
import { DownIcon, Logo } from "../lib/icons.tsx";
import type { NetworkSwitch } from "../lib/network-switch.ts";
import { openNewConversation } from "../lib/route.ts";
import { useOnline } from "../lib/use-online.ts";
import { useStickToBottom } from "../lib/use-stick-to-bottom.ts";
import { BreakIt } from "./break-it.tsx";
import { Composer } from "./composer.tsx";
import { StatusBadge } from "./status-badge.tsx";
import { announceChange, useConversation } from "./use-conversation.ts";
import { Welcome } from "./welcome.tsx";

/** What {@link Chat} is told. */
export interface ChatProps {
  readonly conversationId: string;
  readonly network: NetworkSwitch;
}

/** One conversation. */
export function Chat({ conversationId, network }: ChatProps): ReactElement {
  const { data, isLoading, error, refetch, addQuestion } = useConversation(conversationId, network.fetch);
  const { exchanges, isFull, model } = data;
  const start = useAsk(conversationId, addQuestion);
  const isCut = useSyncExternalStore(network.subscribe, network.isCut);
  const isOnline = useOnline();

  const last = exchanges.at(-1);
  const liveId = last?.answer.status === "streaming" ? last.streamId : undefined;
  const live = useConnection(liveId);
  const stop = useStopStream();
  const client = useStreamClient();
  const status = statusOf(last?.answer.status, live.status);
  const isRunning = last !== undefined && !isFinal(status);

  // The server saves an answer just after its end.
  useEffect(() => {
    if (liveId !== undefined && isFinal(live.status)) refetch();
  }, [liveId, live.status, refetch]);

  const content = useRef<HTMLElement>(null);
  const { isAway, toBottom } = useStickToBottom(content);
  const ask = (question: string, streamId?: string): void => {
    toBottom();
    start(question, streamId);
  };

  const title = exchanges[0]?.question;
  useEffect(() => {
    document.title = title === undefined ? "rejoin: a chat that survives a reload" : `${title} · rejoin`;
  }, [title]);

  return (
    <div className="page">
      <header className="header">
        <a className="brand" href="/" onClick={openInPlace}>
          <Logo />
          <span>rejoin</span>
        </a>
        <StatusBadge status={isOnline ? status : "offline"} />
        <a className="new-chat" href="/" onClick={openInPlace}>
          New chat
        </a>
      </header>

      <main className="content" ref={content}>
        {exchanges.length === 0 && !isLoading && error === null && <Welcome onAsk={ask} />}
        <div className="log" role="log" aria-label="Conversation">
          {exchanges.map((exchange) => (
            <section key={exchange.streamId} className="exchange">
              <div className="question" data-role="user">
                <p>{exchange.question}</p>
              </div>
              <Answer
                exchange={exchange}
                onAskAgain={() => ask(exchange.question)}
                onSendAgain={() => ask(exchange.question, exchange.streamId)}
              />
            </section>
          ))}
        </div>
        {error !== null && exchanges.length === 0 && (
          <div className="note" data-kind="error" role="alert">
            <p>{error.message}</p>
            <button type="button" className="note-action" onClick={refetch}>
              Retry
            </button>
          </div>
        )}
      </main>

      <footer className="footer">
        {isAway && (
          <button
            type="button"
            className="round to-bottom"
            aria-label="To the newest words"
            onClick={toBottom}
          >
            <DownIcon />
          </button>
        )}
        {(isRunning || isCut) && (
          <BreakIt
            isCut={isCut}
            onReload={() => location.reload()}
            onCut={network.cut}
            onRestore={() => {
              network.restore();
              if (liveId !== undefined) client.session(liveId).retry();
              refetch();
            }}
          />
        )}
        <Composer
          key={conversationId}
          draftKey={`rejoin-demo:draft:${conversationId}`}
          isRunning={isRunning}
          isStopping={live.isStopping}
          closed={isFull ? "This conversation is full. Begin a new one." : null}
          onSend={ask}
          onStop={() => liveId !== undefined && stop.mutate({ id: liveId })}
        >
          <p className="hint">{model === null ? "\u00a0" : `Answers by ${model}`}</p>
        </Composer>
      </footer>
    </div>
  );
}

/** How a stream's connection is doing; of its text the page itself needs nothing. */
function useConnection(streamId: string | undefined): {
  readonly status: ClientStatus;
  readonly isStopping: boolean;
} {
  return useResumableStream(streamId, {
    select: ({ status, isStopping }) => ({ status, isStopping }),
    isEqual: (a, b) => a.status === b.status && a.isStopping === b.isStopping,
  });
}

/** Asks: shows the question at once, and sends it. */
function useAsk(
  conversationId: string,
  addQuestion: (streamId: string, question: string) => void,
): (question: string, streamId?: string) => void {
  const { mutate } = useStartStream({ url: CHAT_PATH });
  return useCallback(
    (question, streamId = createStreamId()) => {
      addQuestion(streamId, question);
      const body: ChatRequest = { conversationId, text: question };
      mutate(
        { id: streamId, thread: conversationId, body },
        { onSuccess: () => announceChange(conversationId) },
      );
    },
    [addQuestion, conversationId, mutate],
  );
}

function statusOf(
  saved: "streaming" | "done" | "error" | "stopped" | undefined,
  live: ClientStatus,
): ClientStatus {
  if (saved === undefined) return "idle";
  return saved === "streaming" ? live : saved;
}

/** A new conversation without a load of the page, for a plain click. */
function openInPlace(event: MouseEvent): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
  event.preventDefault();
  openNewConversation();
}
