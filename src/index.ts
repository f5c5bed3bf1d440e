/** `rejoin`: the React client. */
import { tanstackSurroundings } from "./client/query/tanstack-surroundings.ts";
import {
  createResumableStreamProvider,
  type ResumableStreamProviderComponent,
} from "./client/react/provider.ts";
import { assistantStream } from "./shared/protocols/assistant-stream/index.ts";

export { streamKeys, type FinishedMessage } from "./client/query/stream-keys.ts";
export { activeStreamOptions, type ActiveStreamOptions } from "./client/query/stream-queries.ts";
export { useActiveStream } from "./client/query/use-active-stream.ts";
export {
  useStartStream,
  type StartStream,
  type StartVariables,
  type UseStartStreamOptions,
} from "./client/query/use-start-stream.ts";
export { useStopStream, type StopVariables } from "./client/query/use-stop-stream.ts";
export type { ResumableStreamProviderProps } from "./client/react/provider.ts";
export { useStreamClient } from "./client/react/use-stream-client.ts";
export {
  useResumableStream,
  type ResumableStream,
  type ResumableStreamState,
  type UseResumableStreamOptions,
  type UseResumableStreamSelectOptions,
} from "./client/react/use-resumable-stream.ts";
export * from "./core.ts";

/** Gives the components below it their streams. Works without a QueryClient; where there is one, it is used. */
export const ResumableStreamProvider: ResumableStreamProviderComponent = createResumableStreamProvider({
  ...tanstackSurroundings,
  defaultProtocol: assistantStream,
});
