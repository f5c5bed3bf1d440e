/** A server of the chat completions API over real HTTP, whose answers a test writes piece by piece. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** A completion that is being answered. */
export interface ModelRun {
  /** The request's body, and its headers. */
  readonly request: { readonly body: CompletionBody; readonly headers: IncomingMessage["headers"] };
  /** Writes Markdown, an event for every few characters. */
  write(text: string): void;
  /** Writes one delta as it is. */
  delta(delta: object): void;
  /** Writes anything at all. */
  raw(text: string): void;
  /** Ends the answer as the API ends one. */
  finish(reason?: string): void;
  /** Ends the response, and says nothing of an end. */
  end(): void;
  /** Breaks the connection off. */
  cut(): void;
  /** Resolves when the connection is gone, whoever let go of it. */
  readonly closed: Promise<void>;
}

/** What a request asks for. */
export interface CompletionBody {
  readonly model: string;
  readonly stream: boolean;
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** The server. */
export interface ScriptedModel {
  /** For `OPENAI_BASE_URL`. */
  readonly url: string;
  /** The next completion that nobody has taken yet, of a question where one is given. */
  run(question?: string): Promise<ModelRun>;
  /** How many completions were asked for, for a question. */
  runsOf(question: string): number;
  /** Answers the next completion with an error. */
  refuse(status: number, body: string): void;
  close(): Promise<void>;
}

/** Starts the server on a free port. */
export async function startScriptedModel(): Promise<ScriptedModel> {
  const runs: { readonly question: string; readonly run: ModelRun; isTaken: boolean }[] = [];
  const refusals: { readonly status: number; readonly body: string }[] = [];
  let arrival = Promise.withResolvers<void>();

  const server = createServer((request, response) => {
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === "/v1/models") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ object: "list", data: [{ id: "scripted-1" }, { id: "scripted-2" }] }));
      return;
    }
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const refusal = refusals.shift();
    if (refusal !== undefined || request.url !== "/v1/chat/completions") {
      response.writeHead(refusal?.status ?? 404).end(refusal?.body);
      return;
    }
    const body: CompletionBody = JSON.parse(text);
    const question = body.messages.findLast(({ role }) => role === "user")?.content ?? "";
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    runs.push({ question, run: createRun({ body, headers: request.headers }, response), isTaken: false });
    arrival.resolve();
    arrival = Promise.withResolvers();
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${portOf(server.address())}/v1`,
    async run(question) {
      for (;;) {
        const next = runs.find(
          (each) => !each.isTaken && (question === undefined || each.question === question),
        );
        if (next !== undefined) {
          next.isTaken = true;
          return next.run;
        }
        await arrival.promise;
      }
    },
    runsOf: (question) => runs.filter((each) => each.question === question).length,
    refuse: (status, body) => void refusals.push({ status, body }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function createRun(request: ModelRun["request"], response: ServerResponse): ModelRun {
  const run: ModelRun = {
    request,
    raw: (text) => void response.write(text),
    delta: (delta) =>
      run.raw(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`),
    write(text) {
      for (const content of text.match(/[\s\S]{1,4}/gu) ?? []) run.delta({ content });
    },
    finish(reason = "stop") {
      run.raw(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })}\n\n`);
      response.end("data: [DONE]\n\n");
    },
    end: () => void response.end(),
    cut: () => void response.destroy(),
    closed: new Promise((resolve) => response.once("close", resolve)),
  };
  return run;
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}
