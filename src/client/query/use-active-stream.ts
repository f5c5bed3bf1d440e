import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useHydrated } from "../react/use-hydrated.ts";
import { useStreamClient } from "../react/use-stream-client.ts";
import type { ActiveStream } from "../stream-client.ts";
import { activeStreamOptions } from "./stream-queries.ts";

/**
 * The live or last stream of an app's own key, such as a chat's id: another tab or device finds the answer that is being
 * written. While the server is asked, the stream that this tab knows of is shown. Needs a QueryClient.
 *
 * @param thread `undefined` for not yet.
 */
export function useActiveStream(thread: string | undefined): UseQueryResult<ActiveStream | null> {
  const client = useStreamClient();
  const known = useHydrated() && thread !== undefined ? client.lastKnown(thread) : null;
  const options = activeStreamOptions(client, thread ?? "");
  return useQuery<ActiveStream | null>({
    ...options,
    enabled: thread !== undefined,
    networkMode: "always",
    // Stale from the beginning, so the server is asked; but it stays when the server is not reached.
    ...(known === null
      ? {}
      : { initialData: { streamId: known, status: "streaming" }, initialDataUpdatedAt: 0 }),
  });
}
