/** The fold as a stream, under the name that users of `assistant-stream` know. */
import type { AssistantStreamChunk } from "./chunks.ts";
import { createAssistantStreamFold } from "./fold.ts";
import type { AssistantMessage } from "./message.ts";

/** Options of {@link AssistantMessageAccumulator}. */
export interface AssistantMessageAccumulatorOptions {
  /** The message to go on from. */
  readonly initialMessage?: AssistantMessage;
  /** Whether chunks that come in one go give one message; false by default. */
  readonly throttle?: boolean;
  /** Called with the text of each error chunk. */
  readonly onError?: (error: string) => void;
  /** Whether a chunk that makes no sense fails the stream; otherwise it is passed over with one warning, the default. */
  readonly strict?: boolean;
}

/**
 * Turns chunks into messages: one after each chunk, each the whole message so far. When the chunks end while the message
 * is running, it is ended as `done`.
 */
export class AssistantMessageAccumulator extends TransformStream<AssistantStreamChunk, AssistantMessage> {
  constructor(options: AssistantMessageAccumulatorOptions = {}) {
    const { initialMessage, throttle = false, onError, strict = false } = options;
    const onProblem = (problem: string): void => {
      throw new TypeError(
        `An assistant stream makes no sense: ${problem} is unknown or damaged, or there is no such part.`,
      );
    };
    const snapshot =
      initialMessage && JSON.parse(JSON.stringify({ message: initialMessage, complete: false }));
    const fold = strict
      ? createAssistantStreamFold(snapshot, onProblem)
      : createAssistantStreamFold(snapshot);
    let pending = false;
    const emit = (controller: TransformStreamDefaultController<AssistantMessage>): void => {
      if (!throttle) return controller.enqueue(fold.view());
      if (pending) return;
      pending = true;
      queueMicrotask(() => {
        try {
          if (pending) controller.enqueue(fold.view());
        } catch {
          // Nobody reads any more.
        }
        pending = false;
      });
    };
    super({
      transform(chunk, controller) {
        fold.apply(JSON.stringify(chunk));
        if (chunk.type === "error") onError?.(chunk.error);
        emit(controller);
      },
      flush(controller) {
        const isRunning = fold.view().status.type === "running";
        if (isRunning) fold.end({ status: "done" });
        if (isRunning || pending) controller.enqueue(fold.view());
        pending = false;
      },
    });
  }
}
