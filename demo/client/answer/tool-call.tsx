import type { JsonValue, ToolCallPart } from "rejoin/protocols/assistant-stream";
import { memo, type ReactElement } from "react";
import { compactJson } from "../lib/compact-json.ts";

/** A tool call: its name, its arguments as they come, its result. */
export const ToolCall = memo(function ToolCall({ part }: { readonly part: ToolCallPart }): ReactElement {
  const phase = phaseOf(part);
  return (
    <section className="tool" data-phase={phase.name} aria-label={`Tool ${part.toolName}`}>
      <header className="tool-header">
        <span className="tool-mark" aria-hidden="true" />
        <code className="tool-name">{part.toolName}</code>
        <span className="tool-phase">{phase.label}</span>
      </header>
      <pre className="tool-args" tabIndex={0} aria-label="Arguments">
        {part.argsText}
      </pre>
      {part.result !== undefined && (
        <pre className="tool-result" tabIndex={0} aria-label={part.isError === true ? "Error" : "Result"}>
          {write(part.result)}
        </pre>
      )}
    </section>
  );
});

function phaseOf(part: ToolCallPart): { readonly name: string; readonly label: string } {
  if (part.state === "result") {
    return part.isError === true
      ? { name: "failed", label: "declined" }
      : { name: "done", label: part.isPreliminary === true ? "first result" : "result" };
  }
  if (part.status.type === "incomplete") return { name: "failed", label: "not finished" };
  return part.state === "call"
    ? { name: "running", label: "running" }
    : { name: "running", label: "writing arguments" };
}

function write(result: JsonValue): string {
  return typeof result === "string" ? result : compactJson(result);
}
