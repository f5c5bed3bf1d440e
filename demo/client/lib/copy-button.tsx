import { useEffect, useState, type ReactElement } from "react";

/** What {@link CopyButton} is told. */
export interface CopyButtonProps {
  /** Its name. */
  readonly label: string;
  readonly text: () => string;
}

/** Copies a text. Not there where a page may not, as over plain HTTP from another machine. */
export function CopyButton({ label, text }: CopyButtonProps): ReactElement | null {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [isCopied]);

  if (!("clipboard" in navigator)) return null;
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text());
      setCopied(true);
    } catch {
      // The browser said no, and told its user.
    }
  };
  return (
    <button type="button" className="copy" aria-label={label} onClick={() => void copy()}>
      {isCopied ? "Copied" : "Copy"}
    </button>
  );
}
