import { useMutation, type UseMutationResult } from "@tanstack/react-query";
import { useStreamClient } from "../react/use-stream-client.ts";

/** What is stopped. */
export interface StopVariables {
  readonly id: string;
}

/**
 * Stops streams, wherever they are produced; what was written stays. The session shows `isStopping` at once, and sees the
 * wish through, so the mutation itself repeats nothing. Needs a QueryClient.
 */
export function useStopStream(): UseMutationResult<void, Error, StopVariables> {
  const client = useStreamClient();
  return useMutation<void, Error, StopVariables>({
    mutationFn: ({ id }) => client.stop(id),
    networkMode: "always",
    retry: false,
  });
}
