/** The types of the server: whom a stream belongs to, and who may, is decided by the app. Checked, never run. */
import { expectTypeOf } from "vitest";
import {
  createResumableStreamContext,
  createResumableStreamHandler,
  createResumableStreamResponse,
  createInMemoryResumableStreamStore,
} from "../../src/server/index.ts";
import { streamOf } from "../support/streams.ts";
import { textProtocol, type TextMessage } from "../support/text-protocol.ts";

const context = createResumableStreamContext({ store: createInMemoryResumableStreamStore() });

/** A handler asks the app about each request. */
export function handlerTypes(): void {
  const handler = createResumableStreamHandler({
    context,
    basePath: "/api/streams",
    authorize: (_request, access) => {
      if (access.action === "find") {
        expectTypeOf(access.thread).toEqualTypeOf<string>();
        // @ts-expect-error -- a thread's stream is asked about by itself
        void access.owner;
        return 403;
      }
      expectTypeOf(access.owner).toEqualTypeOf<string | null>();
      return access.owner === "ada";
    },
  });
  expectTypeOf(handler).toEqualTypeOf<(request: Request) => Promise<Response>>();

  // @ts-expect-error -- who may?
  createResumableStreamHandler({ context, basePath: "/api/streams" });
  // @ts-expect-error -- a status that is no verdict
  createResumableStreamHandler({ context, basePath: "/api/streams", authorize: () => 404 });
}

/** A stream of events has an owner, or an explicit `null`. */
export function startTypes(request: Request): void {
  const options = { request, context, protocol: textProtocol, source: () => streamOf("data: {}\n\n") };
  void createResumableStreamResponse({
    ...options,
    owner: null,
    onFinish: ({ message }) => expectTypeOf(message).toEqualTypeOf<TextMessage>(),
  });
  void createResumableStreamResponse({ ...options, owner: "ada" });
  // @ts-expect-error -- whose is it?
  void createResumableStreamResponse(options);
  // @ts-expect-error -- nobody's is `null`
  void createResumableStreamResponse({ ...options, owner: undefined });

  void context.run("s", options.source, { protocol: textProtocol, owner: "ada" });
  void context.run("bytes", () => streamOf(new Uint8Array()));
  // @ts-expect-error -- whose is it?
  void context.run("s", options.source, { protocol: textProtocol });
}
