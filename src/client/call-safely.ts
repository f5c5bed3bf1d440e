/** Whether something takes its time. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Object && "then" in value;
}

/**
 * Calls what the app gave. Its faults are its own: they are told, and stop nothing here.
 *
 * @param otherwise what stands for the answer where there is none.
 */
export function callSafely(callback: () => void | Promise<void>): void | Promise<void>;
export function callSafely<T>(callback: () => T | Promise<T>, otherwise: T): T | Promise<T>;
export function callSafely(callback: () => unknown, otherwise?: unknown): unknown {
  const fail = (error: unknown): unknown => {
    console.error("rejoin: the app's code failed:", error);
    return otherwise;
  };
  try {
    const answer = callback();
    return isPromise(answer) ? answer.catch(fail) : answer;
  } catch (error) {
    return fail(error);
  }
}
