/** A component that shows an answer, and what a user can see and press there. */
import { fireEvent, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { useResumableStream, type ResumableStream, type StreamEventListener } from "../../src/index.ts";
import type { AssistantMessage } from "../../src/shared/protocols/assistant-stream/index.ts";
import { textOf } from "./stream-app.tsx";

/** All that the hook tells, but for the message and the functions; and the message's text. */
export type Shown = Omit<ResumableStream<AssistantMessage>, "message" | "stop" | "retry"> & {
  readonly text: string;
};

export interface AnswerProps {
  readonly id: string | undefined;
  /** What the answer is called, where there are several. */
  readonly name?: string;
  readonly onEvent?: StreamEventListener;
}

export function Answer({ id, name = "answer", onEvent }: AnswerProps): ReactNode {
  const { message, stop, retry, ...state } = useResumableStream(id, { onEvent });
  const shown: Shown = { ...state, text: textOf(message) };
  return (
    <section aria-label={name}>
      <output>{JSON.stringify(shown)}</output>
      <button onClick={() => void stop().catch(() => {})}>Stop</button>
      <button onClick={retry}>Try again</button>
    </section>
  );
}

const answer = (name: string): ReturnType<typeof within> => within(screen.getByRole("region", { name }));

/** What an answer shows. */
export function shown(name = "answer"): Shown {
  return JSON.parse(answer(name).getByRole("status").textContent);
}

/** Presses a button of an answer. */
export function press(button: "Stop" | "Try again", name = "answer"): void {
  fireEvent.click(answer(name).getByRole("button", { name: button }));
}
