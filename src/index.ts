/** `rejoin`: the React client. */
import { tanstackSurroundings } from "./client/query/tanstack-surroundings.ts";
import {
  createResumableStreamProvider,
  type ResumableStreamProviderComponent,
} from "./client/react/provider.ts";
import { assistantStream } from "./shared/protocols/assistant-stream/index.ts";

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

/** Gives the components below it their streams. Works without a QueryClient; where there is one, it is used. */
export const ResumableStreamProvider: ResumableStreamProviderComponent = createResumableStreamProvider({
  ...tanstackSurroundings,
  defaultProtocol: assistantStream,
});
