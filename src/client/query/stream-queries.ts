/** Option factories of queries, as users of TanStack Query know them. */
import { queryOptions, skipToken, type QueryFunction } from "@tanstack/react-query";
import type { RegisteredMessage } from "../react/register.ts";
import type { FinishedStream } from "../session-contract.ts";
import type { ActiveStream, StreamClient } from "../stream-client.ts";
import { retry, retryDelay } from "./retry-policy.ts";
import { streamKeys, type KeyScope } from "./stream-keys.ts";

/** Options of the query for the live or last stream of a thread; its data is `null` where there is none. */
export function activeStreamOptions(client: StreamClient<unknown>, thread: string): ActiveStreamOptions {
  return queryOptions<ActiveStream | null>(activeQuery(client, thread));
}

/** The same, as a plain object. */
export function activeQuery(client: StreamClient<unknown>, thread: string): ActiveQuery {
  return {
    queryKey: streamKeys.active(client, thread),
    queryFn: ({ signal }) => client.findActive(thread, signal),
    // What is known here stays known where nothing is reached.
    networkMode: "always",
    retry,
    retryDelay,
  };
}

/** What {@link activeQuery} returns. */
export interface ActiveQuery {
  readonly queryKey: readonly unknown[];
  readonly queryFn: QueryFunction<ActiveStream | null>;
  readonly networkMode: "always";
  readonly retry: typeof retry;
  readonly retryDelay: typeof retryDelay;
}

/** What {@link activeStreamOptions} returns. */
export type ActiveStreamOptions = ReturnType<typeof queryOptions<ActiveStream | null>>;

/**
 * Options of the query for a stream's message once it has finished. It asks for nothing: the stream's session gives the
 * cache its copy, and until then there is no data. Its message is that of the protocol that the app registered
 * ({@link Register}), else assistant-ui's.
 */
export function finishedMessageOptions<TMessage = RegisteredMessage>(
  client: KeyScope,
  id: string,
): FinishedMessageOptions<TMessage> {
  return queryOptions<FinishedStream<TMessage>>({
    queryKey: streamKeys.message(client, id),
    queryFn: skipToken,
    staleTime: Infinity,
  });
}

/** What {@link finishedMessageOptions} returns. */
export type FinishedMessageOptions<TMessage> = ReturnType<typeof queryOptions<FinishedStream<TMessage>>>;
