import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { createStreamId } from "../../shared/stream-id.ts";
import { useStreamClient } from "../react/use-stream-client.ts";
import { RequestError } from "../client-error.ts";
import { isFinal } from "../failure.ts";
import type { StartRequest } from "../stream-client.ts";
import { streamKeys } from "./stream-keys.ts";

/** Options of {@link useStartStream}. */
export interface UseStartStreamOptions {
  /** The app's own route, which answers with `createResumableStreamResponse`. */
  readonly url: string;
}

/** What starts one stream. */
export type StartVariables = Omit<StartRequest, "url">;

/** A TanStack mutation whose data is the stream's id. */
export type StartStream = UseMutationResult<
  string,
  Error,
  StartVariables,
  { readonly before: unknown } | undefined
> & {
  /** Mints the id, starts the stream, and returns the id at once: `useResumableStream(id)` shows it from then on. */
  readonly start: (variables: StartVariables) => string;
};

/** How often a request is repeated that may work the next time. Repeating is safe: the id is the same. */
const RETRIES = 3;

/**
 * Starts streams. The id is minted once, before the request is sent, so that a retry repeats it and the model runs once;
 * it is stored too, so that a reload follows the stream and never sends the request again. The mutation is a success when
 * the response is there, not when it has ended. Needs a QueryClient.
 */
export function useStartStream({ url }: UseStartStreamOptions): StartStream {
  const client = useStreamClient();
  const queryClient = useQueryClient();
  const mutation = useMutation<string, Error, StartVariables, { readonly before: unknown } | undefined>({
    mutationFn: (variables) => client.start({ ...variables, url }),
    async onMutate({ id, thread }) {
      if (thread === undefined || id === undefined) return undefined;
      const queryKey = streamKeys.active(client, thread);
      // An answer that is under way was true before.
      await queryClient.cancelQueries({ queryKey });
      const before = queryClient.getQueryData(queryKey);
      queryClient.setQueryData(queryKey, { streamId: id, status: "streaming" });
      return { before };
    },
    onSuccess(id, { thread }) {
      if (thread === undefined) return;
      // What was asked meanwhile may have been answered before the stream was there.
      queryClient.setQueryData(streamKeys.active(client, thread), { streamId: id, status: "streaming" });
    },
    onError(error, { thread }, kept) {
      if (thread === undefined || !(error instanceof RequestError && isFinal(error))) return;
      queryClient.setQueryData(streamKeys.active(client, thread), kept?.before ?? null);
    },
    networkMode: "always",
    retry: (count, error) => count < RETRIES && !(error instanceof RequestError && isFinal(error)),
  });
  const withId = (variables: StartVariables): StartVariables & { readonly id: string } => ({
    ...variables,
    id: variables.id ?? createStreamId(),
  });
  return {
    ...mutation,
    mutate: (variables, options) => mutation.mutate(withId(variables), options),
    mutateAsync: (variables, options) => mutation.mutateAsync(withId(variables), options),
    start(variables) {
      const identified = withId(variables);
      mutation.mutate(identified);
      return identified.id;
    },
  };
}
