/** What TanStack Query gives the provider: when to wake, and a cache that keeps finished messages. */
import { focusManager, onlineManager, QueryClientContext, type QueryClient } from "@tanstack/react-query";
import type { ProviderSurroundings } from "../react/provider.ts";
import { pageWake } from "../wake.ts";
import type { ActiveStream } from "../stream-client.ts";
import { keyOf } from "./stream-keys.ts";

/** Ends nothing: the manager hears of the network as long as it has a subscriber, and would miss what comes in between. */
let listening: (() => void) | undefined;

/** TanStack's managers, so that an app which sets them up, as React Native apps do, need not do it twice; and its cache. */
export const tanstackSurroundings: Omit<ProviderSurroundings<QueryClient>, "defaultProtocol"> = {
  wake: {
    // The manager believes that it is online until told otherwise; a page that was opened offline knows better.
    isOnline: () => onlineManager.isOnline() && pageWake.isOnline(),
    subscribe(listener) {
      listening ??= onlineManager.subscribe(() => {});
      const stops = [
        onlineManager.subscribe((online) => listener(online ? "online" : "offline")),
        focusManager.subscribe((focused) => listener(focused ? "visible" : "hidden")),
        // Also its online: a manager that took a page for online which was opened offline has no change to tell.
        pageWake.subscribe(listener),
      ];
      return () => stops.forEach((stop) => stop());
    },
  },
  cache: QueryClientContext,
  onFinished(queryClient, scope, finished) {
    const { id, end } = finished;
    queryClient.setQueryData(keyOf(scope, "message", id), finished);
    for (const { queryKey, state } of queryClient
      .getQueryCache()
      .findAll({ queryKey: keyOf(scope, "active") }))
      queryClient.setQueryData<ActiveStream | null>(
        queryKey,
        (active) => (active?.streamId === id ? { ...active, status: end.status } : active),
        // The server was not asked, so it is as old as it was.
        { updatedAt: state.dataUpdatedAt },
      );
  },
};
