/** A turn for the page: long work is done in slices, with one of these between them. */

/** Resolves in a task of its own: what waits, such as a key or a frame, may come first. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    // Not every platform has it. Where it is, it is better: timers of a hidden page come once a second.
    if (typeof MessageChannel !== "function") return void setTimeout(resolve);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
