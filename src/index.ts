/** `rejoin`: the React client. What needs a browser's React says `"use client"` in its own file. */
export { ResumableStreamProvider } from "./client/query/resumable-stream-provider.ts";
export { streamKeys, type FinishedMessage, type KeyScope } from "./client/query/stream-keys.ts";
export {
  startStreamOptions,
  stopStreamOptions,
  type IdentifiedStart,
  type StartTarget,
  type StartVariables,
  type StopVariables,
  type StreamMutationOptions,
} from "./client/query/stream-mutations.ts";
export {
  activeStreamOptions,
  finishedMessageOptions,
  type ActiveStreamOptions,
  type FinishedMessageOptions,
} from "./client/query/stream-queries.ts";
export { useActiveStream, type UseActiveStreamOptions } from "./client/query/use-active-stream.ts";
export {
  useStartStream,
  type StartStream,
  type UseStartStreamOptions,
} from "./client/query/use-start-stream.ts";
export { useStopStream, type UseStopStreamOptions } from "./client/query/use-stop-stream.ts";
export type { ResumableStreamProviderProps } from "./client/react/provider.ts";
export { useStreamClient } from "./client/react/use-stream-client.ts";
export {
  useResumableStream,
  type ResumableStream,
  type ResumableStreamState,
  type UseResumableStreamOptions,
  type UseResumableStreamSelectOptions,
} from "./client/react/use-resumable-stream.ts";
// By a star, so that an app may declare more of what is in there.
export type * from "./client/react/register.ts";
export * from "./core.ts";
