/** The address: one conversation each. */
import { createStreamId } from "rejoin";
import { useSyncExternalStore } from "react";
import { isConversationId } from "../../shared/conversation.ts";

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

/** The conversation of the address; an address without one gets a new one. */
function conversationOfAddress(): string {
  const id = /^\/c\/([^/]+)$/.exec(location.pathname)?.[1];
  if (isConversationId(id)) return id;
  const created = createStreamId();
  history.replaceState(null, "", `/c/${created}`);
  return created;
}

/** Goes to a new conversation. */
export function openNewConversation(): void {
  history.pushState(null, "", `/c/${createStreamId()}`);
  for (const listener of listeners) listener();
}

/** The conversation that the address names. */
export function useConversationId(): string {
  return useSyncExternalStore(subscribe, conversationOfAddress);
}
