import type {
  AssistantMessage,
  AssistantMessagePart,
  FilePart,
  SourcePart,
} from "rejoin/protocols/assistant-stream";
import { memo, type ReactElement } from "react";
import { Markdown } from "../lib/markdown.tsx";
import { Reasoning } from "./reasoning.tsx";
import { ToolCall } from "./tool-call.tsx";

/** The parts of an answer, in their order. A part that did not change is not rendered again. */
export function AnswerParts({ parts }: { readonly parts: AssistantMessage["parts"] }): ReactElement {
  return (
    <>
      {parts.map((part, index) => (
        // Parts are only ever added at the end.
        <Part key={index} part={part} />
      ))}
    </>
  );
}

const Part = memo(function Part({ part }: { readonly part: AssistantMessagePart }): ReactElement {
  switch (part.type) {
    case "text":
      return (
        <div className="prose" data-running={part.status.type === "running" || undefined}>
          <Markdown text={part.text} />
        </div>
      );
    case "reasoning":
      return <Reasoning part={part} />;
    case "tool-call":
      return <ToolCall part={part} />;
    case "source":
      return <Source part={part} />;
    case "file":
      return <File part={part} />;
    case "data":
      return (
        <details className="data">
          <summary>{part.name}</summary>
          <pre>{JSON.stringify(part.data, null, 2)}</pre>
        </details>
      );
  }
});

function Source({ part }: { readonly part: SourcePart }): ReactElement {
  if (part.sourceType === "document") return <p className="source">{part.title}</p>;
  // A source's address is the model's word: only what a browser would open as a page becomes a link.
  const isPage = /^https?:\/\//i.test(part.url);
  const title = part.title ?? part.url;
  return (
    <p className="source">
      {isPage ? (
        <a href={part.url} target="_blank" rel="noreferrer">
          {title}
        </a>
      ) : (
        title
      )}
    </p>
  );
}

function File({ part }: { readonly part: FilePart }): ReactElement {
  if (/^image\/(?:png|jpeg|gif|webp|avif)$/.test(part.mimeType)) {
    return <img className="file" src={`data:${part.mimeType};base64,${part.data}`} alt="From the model" />;
  }
  return <p className="source">A file of type {part.mimeType}</p>;
}
