import type { ReactElement } from "react";

const SUGGESTIONS: readonly string[] = [
  "How does an answer survive a reload?",
  "Tell me a story about a lighthouse",
  "What is 19% of 84.50, plus 12?",
  "Which weekday is 29 February 2028?",
];

/** What a new conversation begins with. */
export function Welcome({ onAsk }: { readonly onAsk: (question: string) => void }): ReactElement {
  return (
    <section className="welcome">
      <svg
        className="welcome-line"
        viewBox="0 0 704 40"
        preserveAspectRatio="xMinYMid slice"
        aria-hidden="true"
      >
        <path className="welcome-line-read" d="M2 30H190" />
        <path className="welcome-line-join" d="M190 30c40 0 20-20 60-20" />
        <path className="welcome-line-live" d="M250 10H702" />
      </svg>
      <h1>
        Ask something.
        <br />
        Then pull the plug.
      </h1>
      <p className="welcome-lead">
        Answers here belong to the conversation, not to the connection. Reload in the middle of one, switch
        the network off, close the laptop: you come back to every word that was written, and to the rest as it
        is being written.
      </p>
      <ul className="suggestions" aria-label="Suggestions">
        {SUGGESTIONS.map((question) => (
          <li key={question}>
            <button type="button" onClick={() => onAsk(question)}>
              {question}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
