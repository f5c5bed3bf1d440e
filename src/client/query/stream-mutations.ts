/** Option factories of mutations, as users of TanStack Query know them. */
import type { UseMutationOptions } from "@tanstack/react-query";
import type { StartRequest, StreamClient } from "../stream-client.ts";
import { isRefusal, retry, retryDelay } from "./retry-policy.ts";
import { streamKeys } from "./stream-keys.ts";

/** Where streams are started. */
export interface StartTarget {
  /** The app's own route, which answers with `createResumableStreamResponse`. */
  readonly url: string;
}

/** What starts one stream. */
export type StartVariables = Omit<StartRequest, "url">;

/** What starts one stream whose id is minted already, as by `createStreamId()`. */
export interface IdentifiedStart extends StartVariables {
  readonly id: string;
}

/** What is stopped. */
export interface StopVariables {
  readonly id: string;
}

/** What {@link startStreamOptions} and {@link stopStreamOptions} return. */
export type StreamMutationOptions<TData, TVariables> = Pick<
  UseMutationOptions<TData, Error, TVariables>,
  "retry" | "retryDelay" | "networkMode" | "mutationKey"
> & { readonly mutationFn: (variables: TVariables) => Promise<TData> };

/**
 * Options of the mutation that starts a stream; its data is the stream's id. The id is minted by the caller, so that a
 * retry repeats it, and the model runs once. A success is that the response is there, not that it has ended.
 */
export function startStreamOptions(
  client: StreamClient<unknown>,
  { url }: StartTarget,
): StreamMutationOptions<string, IdentifiedStart> {
  return {
    mutationKey: streamKeys.start(client),
    mutationFn: (variables) => client.start({ ...variables, url }),
    networkMode: "always",
    // While the page is offline there is no end to it.
    retry: (count, error) => retry(count, error) || !(isRefusal(error) || client.wake.isOnline()),
    retryDelay,
  };
}

/**
 * Options of the mutation that stops a stream. Its session sees the wish through, so the mutation itself repeats nothing.
 */
export function stopStreamOptions(client: StreamClient<unknown>): StreamMutationOptions<void, StopVariables> {
  return {
    mutationKey: streamKeys.stop(client),
    mutationFn: ({ id }) => client.stop(id),
    networkMode: "always",
    retry: false,
  };
}
