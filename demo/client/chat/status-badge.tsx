import type { ClientStatus } from "rejoin";
import type { ReactElement } from "react";

/** What the badge says. */
const TEXTS: Readonly<Record<ClientStatus, string>> = {
  idle: "Ready",
  connecting: "Connecting",
  replaying: "Replaying",
  streaming: "Live",
  reconnecting: "Reconnecting",
  offline: "Offline",
  done: "Complete",
  error: "Failed",
  stopped: "Stopped",
  missing: "Gone",
};

/** How the connection of the newest answer is doing. */
export function StatusBadge({ status }: { readonly status: ClientStatus }): ReactElement {
  return (
    <span className="badge" role="status" data-status={status}>
      <span className="badge-dot" aria-hidden="true" />
      {TEXTS[status]}
    </span>
  );
}
