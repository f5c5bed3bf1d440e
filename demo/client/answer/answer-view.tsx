import type { ClientStatus } from "rejoin";
import type { AssistantMessage } from "rejoin/protocols/assistant-stream";
import { useRef, type ReactElement } from "react";
import { CopyButton } from "../lib/copy-button.tsx";
import { JoinIcon } from "../lib/icons.tsx";
import { AnswerParts } from "./answer-parts.tsx";
import { useJoins, type Join } from "./use-joins.ts";

/** What can be done about an answer that is not well. */
export interface AnswerAction {
  readonly label: string;
  readonly run: () => void;
}

/** What {@link AnswerView} is told. */
export interface AnswerViewProps {
  readonly status: ClientStatus;
  readonly message: AssistantMessage | undefined;
  /** A text fit for users. */
  readonly error: string | null;
  readonly action: AnswerAction | null;
}

/** An answer: its parts on a line that shows how the connection is doing. */
export function AnswerView({ status, message, error, action }: AnswerViewProps): ReactElement {
  const body = useRef<HTMLDivElement>(null);
  const parts = message?.parts ?? [];
  const joins = useJoins(status, parts.length > 0, body);
  const isRunning = !isFinal(status);
  return (
    <article
      className="answer"
      data-role="assistant"
      data-status={status}
      aria-label="Answer"
      // Read out when it is whole, not syllable by syllable.
      aria-busy={isRunning}
    >
      <div className="answer-body" ref={body}>
        {joins.map((join, index) => (
          <span
            key={index}
            className="join"
            style={{ top: join.top }}
            title={joinText(join)}
            aria-hidden="true"
          />
        ))}
        {parts.length === 0 && isRunning ? <Waiting status={status} /> : <AnswerParts parts={parts} />}
      </div>
      <Note status={status} error={error} action={action} />
      {(joins.length > 0 || !isRunning) && (
        <footer className="answer-footer">
          {joins.length > 0 && (
            <span className="joined">
              <JoinIcon />
              {joinsText(joins)}
            </span>
          )}
          {!isRunning && parts.length > 0 && <CopyButton label="Copy answer" text={() => plainText(parts)} />}
        </footer>
      )}
    </article>
  );
}

function Waiting({ status }: { readonly status: ClientStatus }): ReactElement {
  return (
    <p className="waiting">
      <span className="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span className="visually-hidden">
        {status === "offline" ? "Waiting for the network" : "Waiting for the first word"}
      </span>
    </p>
  );
}

function Note({ status, error, action }: Omit<AnswerViewProps, "message">): ReactElement | null {
  const text = noteText(status, error);
  if (text === null) return null;
  const isAlert = status === "error" || status === "missing";
  return (
    <div className="note" data-kind={isAlert ? "error" : "info"} role={isAlert ? "alert" : undefined}>
      <p>{text}</p>
      {action !== null && (
        <button type="button" className="note-action" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}

function noteText(status: ClientStatus, error: string | null): string | null {
  switch (status) {
    case "stopped":
      return "Stopped. What was written stays.";
    case "error":
    case "missing":
      return error ?? "The answer could not be completed.";
    case "reconnecting":
      return "The connection is gone; the model writes on. This page reads on as soon as it can.";
    case "offline":
      return "No network. The model writes on; this page reads on when you are back.";
    default:
      return null;
  }
}

/** Whether a status is a stream's end. */
export function isFinal(status: ClientStatus): boolean {
  return status === "done" || status === "error" || status === "stopped" || status === "missing";
}

function joinText({ after }: Join): string {
  return after === "reload" ? "Reloaded here, and read on" : "Cut here, and read on";
}

function joinsText(joins: readonly Join[]): string {
  const [first] = joins;
  if (joins.length > 1) return `Rejoined ${joins.length} times. Nothing lost, nothing twice.`;
  return first?.after === "reload"
    ? "Rejoined after a reload. Nothing lost, nothing twice."
    : "Rejoined after a cut. Nothing lost, nothing twice.";
}

function plainText(parts: AssistantMessage["parts"]): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
}
