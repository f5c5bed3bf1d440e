/** The demo's server, as a Fetch function: the page, the conversations, the question, and rejoin's handler. */
import { randomUUID } from "node:crypto";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import { assistantStream } from "rejoin/protocols/assistant-stream";
import {
  createResumableStreamHandler,
  createResumableStreamResponse,
  RESUMABLE_STREAM_ID_HEADER,
  type ResumableStreamContext,
} from "rejoin/server";
import {
  CHAT_PATH,
  CONVERSATIONS_PATH,
  isConversationId,
  STREAMS_PATH,
  type Conversation,
} from "../shared/conversation.ts";
import { MAX_BODY_BYTES, readChatRequest } from "./chat-request.ts";
import type { ChatModel } from "./models/model.ts";
import {
  finishedAnswer,
  MAX_QUESTIONS,
  messagesOf,
  turnsFor,
  type Conversations,
} from "./storage/conversations.ts";
import { giveName, visitorOf, type VisitorEnv } from "./visitor.ts";

/** What the app is made of. */
export interface DemoAppOptions {
  readonly context: ResumableStreamContext;
  readonly conversations: Conversations;
  readonly model: ChatModel;
  /** Folder of the built page. */
  readonly pageRoot: string;
}

/** Makes the app. */
export function createDemoApp(options: DemoAppOptions): Hono<VisitorEnv> {
  const { context, conversations, model, pageRoot } = options;
  const app = new Hono<VisitorEnv>();

  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        formAction: ["'none'"],
      },
      referrerPolicy: "no-referrer",
      xFrameOptions: "DENY",
      // The demo is served over plain HTTP.
      strictTransportSecurity: false,
    }),
  );

  app.post(
    CHAT_PATH,
    giveName,
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c) => problem(c, 413, "The question is too long."),
    }),
    async (c) => {
      const request = readChatRequest(await c.req.json().catch(() => null));
      if (!request.ok) return problem(c, 400, request.reason);
      const { conversationId, text } = request.value;
      const owner = c.get("visitor");
      const exchanges = await conversations.read(conversationId, owner);
      if (exchanges === null) return problem(c, 404, "There is no such conversation.");
      const streamId = c.req.header(RESUMABLE_STREAM_ID_HEADER);
      const isKnown = exchanges.some(({ answer }) => answer.streamId === streamId);
      if (exchanges.length >= MAX_QUESTIONS && !isKnown) {
        return problem(c, 409, "This conversation is full. Begin a new one.");
      }
      return createResumableStreamResponse({
        request: c.req.raw,
        context,
        owner,
        protocol: assistantStream,
        thread: conversationId,
        // Called once for an id, however often the question is sent: so the question is added once.
        async source({ signal, streamId }) {
          const verdict = await conversations.ask(conversationId, owner, streamId, text);
          // Seen above, and changed since: somebody was faster.
          if (verdict !== "added") throw new Error(`A question could not be added: ${verdict}.`);
          const asked = (await conversations.read(conversationId, owner)) ?? [];
          return model.respond(turnsFor(asked, streamId), signal);
        },
        onFinish: (finished) => conversations.save(conversationId, finishedAnswer(finished)),
      });
    },
  );

  const streams = createResumableStreamHandler({
    context,
    basePath: STREAMS_PATH,
    authorize(request, access) {
      const visitor = visitorOf(request);
      return visitor !== null && (access.action === "find" || access.owner === visitor);
    },
  });
  app.all(STREAMS_PATH, (c) => streams(c.req.raw));
  app.all(`${STREAMS_PATH}/*`, (c) => streams(c.req.raw));

  app.get(`${CONVERSATIONS_PATH}/:id`, giveName, async (c) => {
    const id = c.req.param("id");
    if (!isConversationId(id)) return problem(c, 400, "This is not a conversation's id.");
    const exchanges = await conversations.read(id, c.get("visitor"));
    if (exchanges === null) return problem(c, 404, "There is no such conversation.");
    const body: Conversation = {
      messages: messagesOf(exchanges),
      isFull: exchanges.length >= MAX_QUESTIONS,
      model: model.label,
    };
    return c.json(body, 200, { "cache-control": "no-store" });
  });

  app.all("/api/*", (c) => problem(c, 404, "There is nothing here."));

  app.get("/", giveName, (c) => {
    c.header("cache-control", "no-store");
    return c.redirect(`/c/${randomUUID()}`, 302);
  });
  app.get("/c/:id", giveName, async (c, next) => {
    if (!isConversationId(c.req.param("id"))) return c.redirect("/", 302);
    c.header("cache-control", "no-cache");
    return serveStatic({ root: pageRoot, rewriteRequestPath: () => "/index.html" })(c, next);
  });
  // Their names have a hash of their contents.
  app.use("/assets/*", async (c, next) => {
    await next();
    if (c.res.ok) c.res.headers.set("cache-control", "public, max-age=31536000, immutable");
  });
  app.use("*", serveStatic({ root: pageRoot }));
  app.notFound((c) => problem(c, 404, "There is nothing here."));
  app.onError((error, c) => {
    console.error(error);
    return problem(c, 500, "Something went wrong on the server.");
  });
  return app;
}

function problem(c: Context, status: 400 | 404 | 409 | 413 | 500, message: string): Response {
  const code = status === 404 ? "missing" : status === 500 ? "internal" : "invalid-request";
  return c.json({ error: { code, message } }, status);
}
