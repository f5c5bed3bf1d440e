/** Keys of all that TanStack Query holds for rejoin. */
import type { FinishedStream } from "../session-contract.ts";

/** What the keys depend on; a client has it. */
export interface KeyScope {
  /** Base path of the handler. */
  readonly endpoint: string;
  /** Whose streams they are; `""` where nobody was named. */
  readonly scope: string;
}

/** What all keys of an endpoint and a scope begin with. */
export function keyOf({ endpoint, scope }: KeyScope, ...rest: readonly string[]): readonly unknown[] {
  return ["rejoin", endpoint, scope, ...rest];
}

/** A finished stream as the cache has it, under `streamKeys.message`. */
export type FinishedMessage = FinishedStream<unknown>;

/** Keys of queries (`active`, `message`) and of mutations (`start`, `stop`). */
export const streamKeys: {
  /** What the keys of an endpoint and a scope begin with: for filters that mean all of it. */
  all(scope: KeyScope): readonly unknown[];
  /** Of the query for a thread's live or last stream: {@link activeStreamOptions}. */
  active(scope: KeyScope, thread: string): readonly unknown[];
  /** Of the query for a stream's message once it has finished: {@link finishedMessageOptions}. */
  message(scope: KeyScope, id: string): readonly unknown[];
  /** Of mutations that start a stream: {@link startStreamOptions}. */
  start(scope: KeyScope): readonly unknown[];
  /** Of mutations that stop one: {@link stopStreamOptions}. */
  stop(scope: KeyScope): readonly unknown[];
} = {
  all: (scope) => keyOf(scope),
  active: (scope, thread) => keyOf(scope, "active", thread),
  message: (scope, id) => keyOf(scope, "message", id),
  start: (scope) => keyOf(scope, "start"),
  stop: (scope) => keyOf(scope, "stop"),
};
