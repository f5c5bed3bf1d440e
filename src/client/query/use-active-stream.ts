"use client";
import { useQuery, type UseQueryOptions, type UseQueryResult } from "@tanstack/react-query";
import { useHydrated } from "../react/use-hydrated.ts";
import { useStreamClient } from "../react/use-stream-client.ts";
import type { ActiveStream } from "../stream-client.ts";
import { activeQuery } from "./stream-queries.ts";

/** Options of {@link useActiveStream}: those of a TanStack query that are not given already. */
export type UseActiveStreamOptions<TData = ActiveStream | null> = Omit<
  UseQueryOptions<ActiveStream | null, Error, TData>,
  "queryKey" | "queryFn" | "networkMode" | "initialData" | "initialDataUpdatedAt"
>;

/**
 * The live or last stream of an app's own key, such as a chat's id: another tab or device finds the answer that is being
 * written. While the server is asked, the stream that this tab knows of is shown. Needs a QueryClient.
 *
 * @param thread `undefined` for not yet.
 */
export function useActiveStream<TData = ActiveStream | null>(
  thread: string | undefined,
  options: UseActiveStreamOptions<TData> = {},
): UseQueryResult<TData> {
  const client = useStreamClient();
  const known = useHydrated() && thread !== undefined ? client.lastKnown(thread) : null;
  return useQuery<ActiveStream | null, Error, TData>({
    ...activeQuery(client, thread ?? ""),
    ...options,
    enabled: thread === undefined ? false : (options.enabled ?? true),
    // Stale from the beginning, so the server is asked; but it stays when the server is not reached.
    ...(known === null
      ? {}
      : { initialData: { streamId: known, status: "streaming" }, initialDataUpdatedAt: 0 }),
  });
}
