"use client";
import { useMutation, type UseMutationOptions, type UseMutationResult } from "@tanstack/react-query";
import { useStreamClient } from "../react/use-stream-client.ts";
import { stopStreamOptions, type StopVariables, type StreamMutationOptions } from "./stream-mutations.ts";

/** Options of {@link useStopStream}: those of a TanStack mutation that are not given already. */
export type UseStopStreamOptions = Omit<
  UseMutationOptions<void, Error, StopVariables>,
  keyof StreamMutationOptions<void, StopVariables>
>;

/**
 * Stops streams, wherever they are produced; what was written stays. The session shows `isStopping` at once, and sees the
 * wish through. Needs a QueryClient.
 */
export function useStopStream(
  options: UseStopStreamOptions = {},
): UseMutationResult<void, Error, StopVariables> {
  return useMutation({ ...options, ...stopStreamOptions(useStreamClient()) });
}
