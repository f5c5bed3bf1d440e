"use client";
/** The provider, with what TanStack Query gives it. */
import { createResumableStreamProvider, type ResumableStreamProviderComponent } from "../react/provider.ts";
import { assistantStream } from "../../shared/protocols/assistant-stream/index.ts";
import { tanstackSurroundings } from "./tanstack-surroundings.ts";

/** Gives the components below it their streams. Works without a QueryClient; where there is one, it is used. */
export const ResumableStreamProvider: ResumableStreamProviderComponent = createResumableStreamProvider({
  ...tanstackSurroundings,
  defaultProtocol: assistantStream,
});
