import { useResumableStream, type ClientStatus } from "rejoin";
import { useState, type ReactElement } from "react";
import type { Exchange } from "../chat/conversation-data.ts";
import { AnswerView, type AnswerAction } from "./answer-view.tsx";

/** What {@link Answer} is told. */
export interface AnswerProps {
  readonly exchange: Exchange;
  /** Asks the question anew. */
  readonly onAskAgain: () => void;
  /** Sends the question again under the same id: the server had not got it. */
  readonly onSendAgain: () => void;
}

/** An answer, saved or live. */
export function Answer({ exchange, onAskAgain, onSendAgain }: AnswerProps): ReactElement {
  const { answer, isConfirmed } = exchange;
  const saved = answer.status === "streaming" ? null : answer;
  // An answer that this page has seen live stays with its stream, so that its end changes nothing on the screen.
  const [isLive] = useState(saved === null);
  const stream = useResumableStream(isLive ? answer.streamId : undefined);

  if (saved !== null && (!isLive || stream.status === "missing" || stream.status === "idle")) {
    const action = saved.status === "error" ? { label: "Ask again", run: onAskAgain } : null;
    return (
      <AnswerView status={saved.status} message={saved.message} error={saved.error ?? null} action={action} />
    );
  }
  return (
    <AnswerView
      status={stream.status}
      message={stream.message}
      error={errorText(stream.status, stream.error?.message, isConfirmed)}
      action={actionFor(stream.status)}
    />
  );

  function actionFor(status: ClientStatus): AnswerAction | null {
    switch (status) {
      case "reconnecting":
        return { label: "Try now", run: stream.retry };
      case "missing":
        return isConfirmed
          ? { label: "Ask again", run: onAskAgain }
          : { label: "Send again", run: onSendAgain };
      case "error":
        if (!isConfirmed) return { label: "Send again", run: onSendAgain };
        return stream.error?.code === "http-error"
          ? { label: "Retry", run: stream.retry }
          : { label: "Ask again", run: onAskAgain };
      default:
        return null;
    }
  }
}

function errorText(status: ClientStatus, text: string | undefined, isConfirmed: boolean): string | null {
  if (status === "missing" && !isConfirmed) return "This question did not reach the server.";
  return text ?? null;
}
