/** `rejoin`: the React client. */
import { QueryClientContext } from "@tanstack/react-query";
import { cacheFinishedMessage } from "./client/query/stream-queries.ts";
import { tanstackWake } from "./client/query/tanstack-wake.ts";
import {
  createResumableStreamProvider,
  type ResumableStreamProviderComponent,
} from "./client/react/provider.tsx";
import { assistantStream } from "./shared/protocols/assistant-stream/index.ts";

export {
  activeStreamOptions,
  streamKeys,
  type ActiveStreamOptions,
  type FinishedMessage,
} from "./client/query/stream-queries.ts";
export { useActiveStream } from "./client/query/use-active-stream.ts";
export {
  useStartStream,
  type StartStream,
  type StartVariables,
  type UseStartStreamOptions,
} from "./client/query/use-start-stream.ts";
export { useStopStream, type StopVariables } from "./client/query/use-stop-stream.ts";
export { useStreamClient, type ResumableStreamProviderProps } from "./client/react/provider.tsx";
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
  wake: tanstackWake,
  cache: QueryClientContext,
  onEnd: cacheFinishedMessage,
  defaultProtocol: assistantStream,
});
