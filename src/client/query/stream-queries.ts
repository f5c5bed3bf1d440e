/** Keys and option factories of all that TanStack Query holds for rejoin, as its users know them. */
import { queryOptions, type QueryClient } from "@tanstack/react-query";
import type { StreamEnd } from "../../shared/wire.ts";
import type { ActiveStream, StreamClient } from "../stream-client.ts";

/** What the keys depend on. */
type KeyScope = Pick<StreamClient<unknown>, "endpoint" | "scope">;

/** Query keys. */
export const streamKeys: {
  all(scope: KeyScope): readonly unknown[];
  active(scope: KeyScope, thread: string): readonly unknown[];
  message(scope: KeyScope, id: string): readonly unknown[];
} = {
  all: ({ endpoint, scope }) => ["rejoin", endpoint, scope],
  active: (scope, thread) => [...streamKeys.all(scope), "active", thread],
  message: (scope, id) => [...streamKeys.all(scope), "message", id],
};

/** Options of the query for the live or last stream of a thread; its data is `null` where there is none. */
export function activeStreamOptions(client: StreamClient<unknown>, thread: string): ActiveStreamOptions {
  return queryOptions<ActiveStream | null>({
    queryKey: streamKeys.active(client, thread),
    queryFn: ({ signal }) => client.findActive(thread, signal),
  });
}

/** What {@link activeStreamOptions} returns. */
export type ActiveStreamOptions = ReturnType<typeof queryOptions<ActiveStream | null>>;

/** A finished stream as the cache has it, under `streamKeys.message`. */
export interface FinishedMessage {
  readonly id: string;
  readonly message: unknown;
  readonly end: StreamEnd;
}

/** Puts a finished message into the cache. */
export function cacheFinishedMessage(
  queryClient: QueryClient,
  client: StreamClient<unknown>,
  id: string,
  end: StreamEnd,
  message: unknown,
): void {
  const finished: FinishedMessage = { id, message, end };
  queryClient.setQueryData(streamKeys.message(client, id), finished);
}
