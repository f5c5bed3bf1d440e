/** The types of the client without React: a message's type follows from the protocol. Checked, never run. */
import { expectTypeOf } from "vitest";
import {
  createStreamClient,
  createStreamSession,
  isResumableStreamError,
  memoryCheckpoints,
  type CheckpointStore,
  type FinishedStream,
  type MessageOf,
  type ResumableStreamError,
  type StreamEventInfo,
  type StreamProtocol,
  type StreamSession,
} from "../../src/core.ts";
import { assistantStream, type AssistantMessage } from "../../src/shared/protocols/assistant-stream/index.ts";
import { textProtocol, type TextMessage } from "../support/text-protocol.ts";

expectTypeOf<MessageOf<typeof textProtocol>>().toEqualTypeOf<TextMessage>();
expectTypeOf<MessageOf<typeof assistantStream>>().toEqualTypeOf<AssistantMessage>();
expectTypeOf<MessageOf<StreamProtocol<number>>>().toEqualTypeOf<number>();
expectTypeOf<MessageOf<string>>().toEqualTypeOf<never>();

const common = { endpoint: "/api/streams", protocol: textProtocol };

/** A session has the messages of its protocol. */
export function sessionTypes(): void {
  const session = createStreamSession({ ...common, id: "s" });
  expectTypeOf(session).toEqualTypeOf<StreamSession<TextMessage>>();
  expectTypeOf(session.getState().message).toEqualTypeOf<TextMessage | undefined>();
  session.onEvent((payload, info) => {
    expectTypeOf(payload).toEqualTypeOf<string>();
    expectTypeOf(info).toEqualTypeOf<StreamEventInfo>();
  });
  createStreamSession({
    ...common,
    id: "s",
    onEnd: (finished) => expectTypeOf(finished).toEqualTypeOf<FinishedStream<TextMessage>>(),
  });

  // @ts-expect-error -- which stream?
  createStreamSession(common);
  // @ts-expect-error -- in which language?
  createStreamSession({ endpoint: "/api/streams", id: "s" });
  // @ts-expect-error -- immutable
  session.getState().message = undefined;
}

/** A client has sessions of its protocol. */
export function clientTypes(): void {
  const client = createStreamClient(common);
  expectTypeOf(client.session("s")).toEqualTypeOf<StreamSession<TextMessage>>();
  expectTypeOf(client.start({ url: "/api/chat" })).toEqualTypeOf<Promise<string>>();
  // @ts-expect-error -- started where?
  void client.start({ body: {} });
}

/** What is thrown is known by its guard. */
export function errorTypes(error: unknown): void {
  if (isResumableStreamError(error, "network")) expectTypeOf(error).toEqualTypeOf<ResumableStreamError>();
  // @ts-expect-error -- no such code
  isResumableStreamError(error, "offline");
}

/** Stores of an app's own may answer at once, or with promises; nothing else. */
export function checkpointTypes(): void {
  expectTypeOf(memoryCheckpoints()).toExtend<CheckpointStore>();
  expectTypeOf<{
    get(key: string): Promise<string | null>;
    set(key: string, value: string): Promise<void>;
    delete(key: string): Promise<void>;
    retainScope(scope: string): Promise<void>;
    clear(): Promise<void>;
  }>().toExtend<CheckpointStore>();
  expectTypeOf<Storage>().not.toExtend<CheckpointStore>();
}
