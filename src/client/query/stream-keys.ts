/** Keys of all that TanStack Query holds for rejoin. */
import type { FinishedStream } from "../session-contract.ts";

/** What the keys depend on; a client has it. */
export interface KeyScope {
  readonly endpoint: string;
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
  all(scope: KeyScope): readonly unknown[];
  active(scope: KeyScope, thread: string): readonly unknown[];
  message(scope: KeyScope, id: string): readonly unknown[];
  start(scope: KeyScope): readonly unknown[];
  stop(scope: KeyScope): readonly unknown[];
} = {
  all: (scope) => keyOf(scope),
  active: (scope, thread) => keyOf(scope, "active", thread),
  message: (scope, id) => keyOf(scope, "message", id),
  start: (scope) => keyOf(scope, "start"),
  stop: (scope) => keyOf(scope, "stop"),
};
