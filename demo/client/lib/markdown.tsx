import { memo, useMemo, type ReactElement, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { CopyButton } from "./copy-button.tsx";
import { markdownBlocks } from "./markdown-blocks.ts";

const PLUGINS = [remarkGfm];

const COMPONENTS: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noreferrer">
      {children}
    </a>
  ),
  // A picture that a model names would be fetched from wherever it likes.
  img: ({ src, alt }) => (
    <a href={typeof src === "string" ? src : undefined} target="_blank" rel="noreferrer">
      {alt || "picture"}
    </a>
  ),
  table: ({ children }) => (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
  pre: ({ children }) => (
    <div className="code-block">
      <pre tabIndex={0}>{children}</pre>
      <CopyButton label="Copy code" text={() => textOf(children)} />
    </div>
  ),
};

const Block = memo(function Block({ text }: { readonly text: string }): ReactElement {
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS}>
      {text}
    </ReactMarkdown>
  );
});

/** Markdown that may still be growing. */
export const Markdown = memo(function Markdown({ text }: { readonly text: string }): ReactElement {
  const blocks = useMemo(() => markdownBlocks(text), [text]);
  return (
    <>
      {blocks.map((block, index) => (
        // Blocks are never reordered: a position is a block's identity.
        <Block key={index} text={block} />
      ))}
    </>
  );
});

/** The text in a tree of elements, as far as it is plain. */
function textOf(node: ReactNode): string {
  if (typeof node === "string" || typeof node === "number") return String(node);
  if (Array.isArray(node)) return node.map(textOf).join("");
  if (typeof node === "object" && node !== null && "props" in node && isWithChildren(node.props)) {
    return textOf(node.props.children);
  }
  return "";
}

function isWithChildren(props: unknown): props is { readonly children: ReactNode } {
  return typeof props === "object" && props !== null && "children" in props;
}
