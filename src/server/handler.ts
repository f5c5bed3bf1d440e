/**
 * The handler: every request about a stream that exists, as a Fetch function. `docs/PROTOCOL.md` has the table.
 * An inner function throws, one mapper answers.
 */
import { isUrlStreamId } from "../shared/cursor.ts";
import { ResumableStreamError } from "../shared/errors.ts";
import { THREAD_PARAM, type StreamStatusBody, type ThreadStreamBody } from "../shared/wire.ts";
import {
  endCursorOf,
  eventStreamResponse,
  hasNothingToRead,
  nothingToReadResponse,
  readCursor,
  wantsControl,
  withStreamId,
} from "./follow-response.ts";
import { errorResponse, jsonResponse, responseOfError } from "./http-errors.ts";
import type { StreamRecord } from "./stores/stream-store.ts";
import type { ResumableStreamContext } from "./stream-context.ts";

/** What somebody wants to do. */
export type StreamAccess =
  | {
      readonly action: "follow" | "status" | "stop" | "delete";
      readonly streamId: string;
      /** Whom the stream belongs to, as it was started; `null` also where there is no such stream. */
      readonly owner: string | null;
    }
  | { readonly action: "find"; readonly thread: string };

/** An app's verdict: `false` answers like a stream that is not there, 401 and 403 say more. */
export type AuthorizeVerdict = boolean | 401 | 403;

/** Options of {@link createResumableStreamHandler}. */
export interface ResumableStreamHandlerOptions {
  readonly context: ResumableStreamContext;
  /**
   * Decides about each request, before anything of a stream is told. For a stream that does not exist it is asked too, so
   * that its answer tells nobody which streams do. When it throws or rejects nobody gets in: the error is logged and the
   * answer is a bare 500.
   */
  readonly authorize: (
    request: Request,
    access: StreamAccess,
  ) => AuthorizeVerdict | Promise<AuthorizeVerdict>;
  /** Path below which the handler answers, such as `/api/streams`. */
  readonly basePath: string;
}

/** Answers a request. */
export type ResumableStreamHandler = (request: Request) => Promise<Response>;

/** Makes the handler. Throws `TypeError` without `authorize`, or for a base path that does not begin with `/`. */
export function createResumableStreamHandler(options: ResumableStreamHandlerOptions): ResumableStreamHandler {
  const { context, authorize } = options;
  if (typeof authorize !== "function") {
    throw new TypeError(
      "`authorize` is required: (request, access) => whether the user may. See docs/PROTOCOL.md.",
    );
  }
  if (!options.basePath.startsWith("/")) {
    throw new TypeError(`basePath must begin with "/", got ${JSON.stringify(options.basePath)}.`);
  }
  const basePath = options.basePath.replace(/\/+$/, "");

  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      return error instanceof MethodNotAllowed
        ? errorResponse("method-not-allowed", { allow: error.allow })
        : responseOfError(error);
    }
  };

  async function answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    if (path !== basePath && !path.startsWith(`${basePath}/`))
      throw new ResumableStreamError("missing", `No route: ${path}`);
    const [segment = "", operation, ...rest] = path.slice(basePath.length + 1).split("/");
    if (segment === "" && operation === undefined) {
      allow(request, "GET");
      return find(request);
    }
    const streamId = decodeStreamId(segment);
    if (rest.length > 0) throw new ResumableStreamError("missing", `No route: ${path}`);
    switch (operation) {
      case undefined:
        allow(request, "GET", "DELETE");
        return request.method === "GET" ? follow(request, streamId) : forget(request, streamId);
      case "status":
        allow(request, "GET");
        return statusResponse(await admit(request, "status", streamId));
      case "stop":
        allow(request, "POST");
        return stop(request, streamId);
      default:
        throw new ResumableStreamError("missing", `No route: ${path}`);
    }
  }

  async function follow(request: Request, streamId: string): Promise<Response> {
    const cursor = readCursor(request);
    const record = await admit(request, "follow", streamId);
    const control = wantsControl(request);
    if (!control && hasNothingToRead(record, cursor)) return nothingToReadResponse(streamId);
    const body = await context.requireResume(streamId, { cursor, control, owner: record.owner });
    return eventStreamResponse(streamId, body);
  }

  async function stop(request: Request, streamId: string): Promise<Response> {
    await admit(request, "stop", streamId);
    const record = await context.stop(streamId);
    if (record === null) throw missing(streamId);
    return statusResponse(record);
  }

  async function forget(request: Request, streamId: string): Promise<Response> {
    await admit(request, "delete", streamId);
    await context.delete(streamId);
    return new Response(null, {
      status: 204,
      headers: withStreamId(streamId, { "cache-control": "no-store" }),
    });
  }

  async function find(request: Request): Promise<Response> {
    const thread = new URL(request.url).searchParams.get(THREAD_PARAM);
    if (thread === null) {
      throw new ResumableStreamError(
        "invalid-request",
        `Name a stream in the path, or ?${THREAD_PARAM}=KEY.`,
      );
    }
    refuse(await authorize(request, { action: "find", thread }), `thread ${thread}`);
    const found = await context.find(thread);
    if (found === null) throw missing(`thread ${thread}`);
    // A thread key may be anybody's guess, so the stream behind it has the last word.
    const { streamId, record } = found;
    refuse(await authorize(request, { action: "status", streamId, owner: record.owner }), streamId);
    const body: ThreadStreamBody = { streamId, ...statusOf(record) };
    return jsonResponse(body, { status: 200 });
  }

  /** The stream's state, if it exists, holds events, and the app lets the request in. */
  async function admit(
    request: Request,
    action: Exclude<StreamAccess["action"], "find">,
    streamId: string,
  ): Promise<StreamRecord & { readonly protocol: string }> {
    const record = await context.inspect(streamId);
    refuse(await authorize(request, { action, streamId, owner: record?.owner ?? null }), streamId);
    if (record === null) throw missing(streamId);
    const { protocol } = record;
    if (protocol === null) throw new ResumableStreamError("not-events", `Stream holds bytes: ${streamId}`);
    return { ...record, protocol };
  }
}

/** Throws unless the verdict lets the request in. Anything but `true` does not. */
function refuse(verdict: AuthorizeVerdict, what: string): void {
  if (verdict === true) return;
  const code = verdict === 401 ? "unauthorized" : verdict === 403 ? "forbidden" : "missing";
  throw new ResumableStreamError(code, `Not authorized: ${what}`);
}

class MethodNotAllowed extends Error {
  readonly allow: string;
  constructor(methods: readonly string[]) {
    super("method not allowed");
    this.allow = methods.join(", ");
  }
}

function allow(request: Request, ...methods: readonly string[]): void {
  if (!methods.includes(request.method)) throw new MethodNotAllowed(methods);
}

function decodeStreamId(segment: string): string {
  let streamId = "";
  try {
    streamId = decodeURIComponent(segment);
  } catch {
    // Not a URL component: no id either.
  }
  if (isUrlStreamId(streamId)) return streamId;
  throw new ResumableStreamError("invalid-id", `Not a stream id: ${segment.slice(0, 64)}`);
}

function missing(what: string): ResumableStreamError {
  return new ResumableStreamError("missing", `Stream not found: ${what}`);
}

function statusOf(record: StreamRecord): StreamStatusBody {
  return {
    status: record.status,
    cursor: endCursorOf(record),
    protocol: record.protocol ?? "",
    ...(record.error === undefined ? {} : { error: record.error }),
  };
}

function statusResponse(record: StreamRecord): Response {
  return jsonResponse(statusOf(record), { status: 200 });
}
