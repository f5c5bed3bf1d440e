import {
  useEffect,
  useId,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactElement,
  type ReactNode,
} from "react";
import { MAX_QUESTION_LENGTH } from "../../shared/conversation.ts";
import { SendIcon, StopIcon } from "../lib/icons.tsx";
import { readSessionValue, writeSessionValue } from "../lib/session-value.ts";

/** What {@link Composer} is told. */
export interface ComposerProps {
  /** Under this key the unsent text outlives a reload. */
  readonly draftKey: string;
  readonly isRunning: boolean;
  readonly isStopping: boolean;
  /** Why nothing can be sent; `null` when it can. */
  readonly closed: string | null;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
  /** A line below. */
  readonly children?: ReactNode;
}

/** Where questions are written. Enter sends, Shift+Enter is a new line. */
export function Composer(props: ComposerProps): ReactElement {
  const { draftKey, isRunning, isStopping, closed, onSend, onStop, children } = props;
  const [text, setText] = useState(() => readSessionValue(draftKey) ?? "");
  const box = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const canSend = text.trim() !== "" && !isRunning && closed === null;

  useEffect(() => writeSessionValue(draftKey, text), [draftKey, text]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    fitToText(element);
    // A keyboard that takes half of the screen is called for by a touch, not by us.
    if (canHover()) element.focus();
  }, []);

  function send(): void {
    if (!canSend) return;
    onSend(text.trim());
    setText("");
    if (box.current !== null) box.current.style.height = "";
    if (!canHover()) box.current?.blur();
  }

  function onKeyDown(event: KeyboardEvent): void {
    // Enter that ends a composition, as in Japanese, is part of the writing.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer-box">
        <label className="visually-hidden" htmlFor={id}>
          Message
        </label>
        <textarea
          id={id}
          ref={box}
          rows={1}
          value={text}
          maxLength={MAX_QUESTION_LENGTH}
          placeholder={closed ?? "Ask something"}
          disabled={closed !== null}
          enterKeyHint="send"
          onChange={(event) => {
            setText(event.target.value);
            fitToText(event.target);
          }}
          onKeyDown={onKeyDown}
        />
        {isRunning && (
          <button
            type="button"
            className="round stop"
            aria-label="Stop"
            disabled={isStopping}
            onClick={onStop}
          >
            <StopIcon />
          </button>
        )}
        <button type="submit" className="round send" aria-label="Send" disabled={!canSend}>
          <SendIcon />
        </button>
      </div>
      {children}
    </form>
  );
}

function canHover(): boolean {
  return matchMedia("(hover: hover)").matches;
}

/** For browsers that do not size a field by its content themselves. */
function fitToText(element: HTMLTextAreaElement): void {
  if (CSS.supports("field-sizing", "content")) return;
  element.style.height = "auto";
  element.style.height = `${element.scrollHeight}px`;
}
