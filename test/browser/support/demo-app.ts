/** The demo's server in the process of the test, for what is not for its visitors to set. */
import { createInMemoryResumableStreamStore, createResumableStreamContext } from "rejoin/server";
import { createDemoApp } from "../../../demo/server/app.ts";
import { createOpenAiModel } from "../../../demo/server/models/openai/openai-model.ts";
import { createMemoryConversations } from "../../../demo/server/storage/memory-conversations.ts";
import { serveFetch, type TestServer } from "../../support/http-server.ts";
import type { ScriptedModel } from "../../support/scripted-model.ts";

/** Serves the demo, with a heartbeat that a test can wait for. */
export async function serveDemo(model: ScriptedModel, heartbeatMs: number): Promise<TestServer> {
  const context = createResumableStreamContext({ store: createInMemoryResumableStreamStore(), heartbeatMs });
  const app = createDemoApp({
    context,
    conversations: createMemoryConversations(),
    model: createOpenAiModel({ baseUrl: model.url, apiKey: undefined, model: "scripted-1", tools: [] }),
    pageRoot: "demo/dist",
  });
  const server = await serveFetch((request) => app.fetch(request));
  return {
    url: server.url,
    async close() {
      await server.close();
      await context.close();
    },
  };
}
