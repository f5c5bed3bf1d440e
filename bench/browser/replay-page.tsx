/** The page of the longest-task benchmark: replays a stream, through the session alone or shown by the hook. */
import { createStreamSession, ResumableStreamProvider, useResumableStream } from "../../src/index.ts";
import { assistantStream, type AssistantMessage } from "../../src/shared/protocols/assistant-stream/index.ts";
import { useEffect, type ReactElement } from "react";
import { createRoot } from "react-dom/client";

/** What a replay did. */
export interface Replay {
  readonly ms: number;
  readonly characters: number;
  /** Changes of the state, or React's commits. */
  readonly commits: number;
  /** The longest entry of the Long Tasks API, which knows none below 50 ms; 0 without one. */
  readonly longTaskMs: number;
}

declare global {
  interface Window {
    replay(kind: "session" | "hook", id: string): Promise<Replay>;
  }
}

const ENDPOINT = "/streams";

window.replay = async (kind, id) => {
  let longTaskMs = 0;
  const note = (entries: PerformanceEntryList): void => {
    for (const { duration } of entries) longTaskMs = Math.max(longTaskMs, duration);
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ entryTypes: ["longtask"] });
  const start = performance.now();
  const { message, commits } = await (kind === "session" ? replayBySession(id) : replayByHook(id));
  const ms = performance.now() - start;
  // The task that showed the end is known once it is over.
  await new Promise((resolve) => setTimeout(resolve, 100));
  note(observer.takeRecords());
  observer.disconnect();
  return { ms, characters: charactersOf(message), commits, longTaskMs };
};

interface Outcome {
  readonly message: AssistantMessage | undefined;
  readonly commits: number;
}

function replayBySession(id: string): Promise<Outcome> {
  const session = createStreamSession({ id, endpoint: ENDPOINT, protocol: assistantStream });
  return new Promise((resolve) => {
    let commits = 0;
    session.subscribe(() => {
      commits += 1;
      const { status, message } = session.getState();
      if (status === "done") resolve({ message, commits });
    });
  });
}

function replayByHook(id: string): Promise<Outcome> {
  return new Promise((resolve) => {
    let commits = 0;
    function Answer(): ReactElement {
      const { message, status } = useResumableStream(id, { protocol: assistantStream });
      useEffect(() => {
        commits += 1;
        if (status === "done") resolve({ message, commits });
      });
      return (
        <main>
          {message?.parts.map((part, index) => (
            // Parts never change their places. How long Chromium takes for the lines of a long text is its own affair.
            // oxlint-disable-next-line react/no-array-index-key
            <p key={index}>{"text" in part ? part.text.slice(-500) : part.type}</p>
          ))}
        </main>
      );
    }
    const root = document.body.appendChild(document.createElement("div"));
    createRoot(root).render(
      <ResumableStreamProvider endpoint={ENDPOINT}>
        <Answer />
      </ResumableStreamProvider>,
    );
  });
}

function charactersOf(message: AssistantMessage | undefined): number {
  return JSON.stringify(message?.parts ?? []).length;
}
