/** Option factories of queries, as users of TanStack Query know them. */
import { queryOptions } from "@tanstack/react-query";
import type { ActiveStream, StreamClient } from "../stream-client.ts";
import { streamKeys } from "./stream-keys.ts";

/** Options of the query for the live or last stream of a thread; its data is `null` where there is none. */
export function activeStreamOptions(client: StreamClient<unknown>, thread: string): ActiveStreamOptions {
  return queryOptions<ActiveStream | null>({
    queryKey: streamKeys.active(client, thread),
    queryFn: ({ signal }) => client.findActive(thread, signal),
  });
}

/** What {@link activeStreamOptions} returns. */
export type ActiveStreamOptions = ReturnType<typeof queryOptions<ActiveStream | null>>;
