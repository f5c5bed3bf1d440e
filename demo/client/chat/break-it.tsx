import type { ReactElement } from "react";
import { CutIcon, ReloadIcon } from "../lib/icons.tsx";

/** What {@link BreakIt} is told. */
export interface BreakItProps {
  readonly isCut: boolean;
  readonly onReload: () => void;
  readonly onCut: () => void;
  readonly onRestore: () => void;
}

/** While an answer runs: ways to interrupt it that a phone has, too. */
export function BreakIt({ isCut, onReload, onCut, onRestore }: BreakItProps): ReactElement {
  return (
    <div className="break-it" role="group" aria-label="Interrupt the answer">
      <span className="break-it-lead">{isCut ? "The network of this page is cut." : "Go on, break it:"}</span>
      <button type="button" onClick={onReload}>
        <ReloadIcon />
        Reload
      </button>
      {isCut ? (
        <button type="button" className="restore" onClick={onRestore}>
          <CutIcon />
          Restore the connection
        </button>
      ) : (
        <button type="button" onClick={onCut}>
          <CutIcon />
          Cut the connection
        </button>
      )}
    </div>
  );
}
