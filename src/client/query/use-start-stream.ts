"use client";
import {
  useMutation,
  useQueryClient,
  type UseMutationOptions,
  type UseMutationResult,
} from "@tanstack/react-query";
import { createStreamId } from "../../shared/stream-id.ts";
import { useDerived } from "../react/use-derived.ts";
import { useStreamClient } from "../react/use-stream-client.ts";
import type { ActiveStream, StreamClient } from "../stream-client.ts";
import { isRefusal } from "./retry-policy.ts";
import { streamKeys } from "./stream-keys.ts";
import {
  startStreamOptions,
  type IdentifiedStart,
  type StartTarget,
  type StartVariables,
  type StreamMutationOptions,
} from "./stream-mutations.ts";

/** What was the thread's active stream before. */
interface StartContext {
  readonly before?: ActiveStream | null | undefined;
}

/** Options of {@link useStartStream}: where, and those of a TanStack mutation that are not given already. */
export interface UseStartStreamOptions
  extends
    StartTarget,
    Omit<
      UseMutationOptions<string, Error, IdentifiedStart, StartContext>,
      keyof StreamMutationOptions<string, IdentifiedStart> | "onMutate"
    > {}

/** A TanStack mutation whose data is the stream's id. Its functions stay the same ones. */
export type StartStream = UseMutationResult<string, Error, StartVariables, StartContext> & {
  /** Mints the id, starts the stream, and returns the id at once: `useResumableStream(id)` shows it from then on. */
  readonly start: (variables: StartVariables) => string;
};

/**
 * Starts streams. The id is minted once, before the request is sent, so that a retry repeats it and the model runs once;
 * it is stored too, so that a reload follows the stream and never sends the request again. The mutation is a success when
 * the response is there, not when it has ended. Needs a QueryClient.
 */
export function useStartStream({ url, onError, ...options }: UseStartStreamOptions): StartStream {
  const client = useStreamClient();
  const queryClient = useQueryClient();
  const mutation = useMutation<string, Error, IdentifiedStart, StartContext>({
    ...options,
    ...startStreamOptions(client, { url }),
    async onMutate({ id, thread }) {
      if (thread === undefined) return {};
      const queryKey = streamKeys.active(client, thread);
      // An answer that is under way was true before.
      await queryClient.cancelQueries({ queryKey });
      const before = queryClient.getQueryData<ActiveStream | null>(queryKey);
      queryClient.setQueryData(queryKey, { streamId: id, status: "streaming" });
      return { before };
    },
    onError(...failed) {
      const [error, { id, thread }, kept] = failed;
      if (thread !== undefined && isRefusal(error)) {
        const queryKey = streamKeys.active(client, thread);
        // Unless a newer one was started meanwhile.
        if (queryClient.getQueryData<ActiveStream | null>(queryKey)?.streamId === id) {
          queryClient.setQueryData(queryKey, kept?.before);
          // What was asked before was not answered.
          void queryClient.invalidateQueries({ queryKey });
        }
      }
      return onError?.(...failed);
    },
  });
  return { ...mutation, ...useDerived(identify, client, mutation.mutate, mutation.mutateAsync) };
}

/** The functions of the mutation, with an id of the stream's, which is told at once that it will be started. */
function identify(
  client: StreamClient<unknown>,
  mutate: Mutation["mutate"],
  mutateAsync: Mutation["mutateAsync"],
): Pick<StartStream, "mutate" | "mutateAsync" | "start"> {
  function withId(variables: StartVariables): IdentifiedStart {
    const id = variables.id ?? createStreamId();
    client.session(id).expectStart();
    return { ...variables, id };
  }
  return {
    mutate: (variables, options) => mutate(withId(variables), options),
    mutateAsync: (variables, options) => mutateAsync(withId(variables), options),
    start(variables) {
      const identified = withId(variables);
      mutate(identified);
      return identified.id;
    },
  };
}

type Mutation = UseMutationResult<string, Error, IdentifiedStart, StartContext>;
