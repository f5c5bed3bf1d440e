import type { ReasoningPart } from "rejoin/protocols/assistant-stream";
import { memo, useEffect, useId, useRef, useState, type ReactElement } from "react";
import { ChevronIcon } from "../lib/icons.tsx";

/**
 * What the model thought. A few lines of it show, the newest while it streams; all of it on demand. Nothing that was on
 * the screen goes away by itself.
 */
export const Reasoning = memo(function Reasoning({ part }: { readonly part: ReasoningPart }): ReactElement {
  const isRunning = part.status.type === "running";
  const [isOpen, setOpen] = useState(false);
  const body = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    const element = body.current;
    if (element !== null) element.scrollTop = isRunning ? element.scrollHeight : 0;
  }, [isRunning, isOpen, part.text]);

  return (
    <section className="reasoning" data-running={isRunning || undefined} data-open={isOpen || undefined}>
      <button
        type="button"
        className="reasoning-toggle"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <span>{isRunning ? "Thinking" : "Thought"}</span>
        <ChevronIcon />
      </button>
      <div className="reasoning-text" id={id} ref={body}>
        {part.text.split(/\n{2,}/).map((paragraph, index) => (
          <p key={index}>{paragraph}</p>
        ))}
      </div>
    </section>
  );
});
