/** What the built-in model knows by heart: how resumable answers work. */

/** A note. */
export interface Note {
  readonly title: string;
  /** Words of a question that it answers, a stem being enough, and phrases. */
  readonly keywords: readonly string[];
  /** One sentence, for where it is only mentioned. */
  readonly summary: string;
  /** Markdown. */
  readonly body: string;
}

export const NOTES: readonly Note[] = [
  {
    title: "How an answer survives a reload",
    keywords: [
      "reload",
      "refresh",
      "surviv",
      "restor",
      "f5",
      "checkpoint",
      "sessionstorage",
      "laptop",
      "resum",
      "rejoin",
    ],
    summary: "The tab keeps a checkpoint of what it has read, paints it at once, and reads on from there.",
    body: `An answer is a **log of events** on the server, and what you see is a *fold* of that log. While it streams, the tab keeps a **checkpoint**: the position in the log and the text folded up to there, always written together.

When you reload:

1. The checkpoint is read from the tab's storage and painted **at once**, before any request is answered.
2. One request follows. It names the position: *everything after event 231, please.*
3. The server sends only what is missing, then goes on live.

| what | ordinary chat | here |
| --- | --- | --- |
| text read so far | gone | on the screen at once |
| sent again | everything, or nothing | only what is missing |
| the model | runs again | never noticed |

Your own code for all of that is one line:

\`\`\`tsx
const { message, status } = useResumableStream(streamId);
\`\`\`

The model's run does not belong to your request at all. It belongs to the stream, and the stream outlives every connection that reads it.`,
  },
  {
    title: "What happens when the network drops",
    keywords: ["network", "offline", "drop", "disconnect", "connection", "wifi", "tunnel", "reconnect"],
    summary: "The text stays in memory; the client notices, waits its turn, and reads on from its position.",
    body: `A connection that breaks is not an answer that ends, and the two must never be confused. Only a **terminal event** ends an answer; a response that stops without one is a *cut*.

So when the network goes away:

- The badge above says **offline** or **reconnecting**; the text stays where it is.
- The model keeps writing into the log. It does not know that you are gone.
- When the browser says that it is online, the client asks again at once. Otherwise it waits a little longer each time, with a random share, so that a thousand clients cut together do not come back together.

\`\`\`http
GET /api/streams/8c1f…?control=1
Last-Event-ID: 0mqzk3v1p-4hx2r9w7kd.231
\`\`\`

| time | connection | log on the server | your screen |
| --- | --- | --- | --- |
| 0 s | live | event 231 | event 231 |
| 3 s | cut | event 350 | event 231 |
| 6 s | back | event 470 | event 470 |

What you missed arrives as **one** update, not as a second performance of the typewriter, and then the stream is live again.`,
  },
  {
    title: "Exactly once: nothing twice, nothing lost",
    keywords: ["exactly once", "exactly-once", "twice", "duplicat", "lost", "guarantee", "idempoten"],
    summary: "Every event has a number, and an event at or below the cursor changes nothing.",
    body: `The promise is strict: whatever is cut, killed or repeated, the message ends **byte for byte** as for a reader who was never interrupted. Three rules make it true.

1. **Persist, then deliver.** No reader ever sees an event that the log does not hold, so nothing that you read can be taken back.
2. **Numbers without gaps.** Each event has a sequence number. One at or below the cursor changes nothing; one that leaves a gap makes the client ask again.
3. **One value.** Cursor and text are stored together. A new cursor with an old text would lose words, an old cursor with a new text would double them.

\`\`\`ts
if (event.seq <= cursor.seq) return; // seen before
if (event.seq > cursor.seq + 1) return reconnect(); // something is missing
fold.apply(event.payload);
\`\`\`

Sending is idempotent too: the browser mints the id of the answer *before* it asks. A question that is sent twice, by a retry or by two tabs, finds its answer running and simply joins.

| repeated | result |
| --- | --- |
| an event | ignored |
| a question | joins the answer |
| a stop | already stopped |`,
  },
  {
    title: "Stopping, and why closing the tab is not stopping",
    keywords: ["stop", "cancel", "abort", "halt", "close the tab"],
    summary: "Stop is a request of its own: final in the log first, then the model's signal fires.",
    body: `In many chats the stop button only hangs up. The model writes on, somebody pays for it, and a reload revives the answer that you stopped. Here the two are different things:

- **Leaving** closes a connection. The answer goes on, and is there when you come back.
- **Stopping** is a wish that the server keeps: first the log says *stopped*, then the model's \`signal\` fires. What was written stays.

It works from wherever you are: another tab, another server instance, or a page that is closing at this moment, since the request is sent with \`keepalive\`.

\`\`\`ts
source: ({ signal }) => callModel(question, { signal })
\`\`\`

| situation | outcome |
| --- | --- |
| stop, then reload | still stopped |
| stop before the answer began | it never begins |
| stop twice | the same as once |

Try it now: press **Stop**, then reload. The answer ends where you ended it, with the words that you had read.`,
  },
  {
    title: "A second tab, and joining late",
    keywords: ["tab", "tabs", "second tab", "device", "late", "join", "window", "another tab", "phone"],
    summary: "Any number of readers follow one log; each has its own position.",
    body: `One model writes, anybody who may can read. Copy the address of this page into a second tab while I am still writing: it shows what was written so far, and then both tabs go on together.

- A reader who comes late **replays first**, then is live. The replay shows as one update, so the text never flickers or shrinks.
- The reader registers for what is new *before* it reads what is old, so nothing falls between the two.
- Every reader has its own cursor. A slow one is paced by itself and slows down nobody else.

| reader | begins at | receives |
| --- | --- | --- |
| the tab that asked | event 0 | everything, live |
| the same tab, reloaded | event 231 | events 232 and on |
| another tab | event 0 | a replay, then live |

\`\`\`tsx
const active = useActiveStream(conversationId);
\`\`\`

That query finds the live answer of a conversation, also on another device, as long as the server says that it is yours: each stream has an **owner**, and \`authorize\` decides about every request.`,
  },
  {
    title: "When a server dies in the middle",
    keywords: ["server", "crash", "dies", "dead", "restart", "deploy", "redis", "store", "lease", "worker"],
    summary: "The writer holds a lease; when it lapses, every reader is told within seconds.",
    body: `A process that runs a model holds a **lease** on the stream and renews it, also while the model is silent. When the process dies, nobody renews, and that is how everybody notices.

1. The lease lapses, by the clock of the store, not of some laptop.
2. Whoever sees it first writes the end: \`error: producer-lost\`.
3. Every reader is told, within seconds, instead of watching a cursor blink for a day.

A planned restart is gentler: readers are cut and resume elsewhere, and writers may finish what they are writing.

\`\`\`ts
await context.close({ drainMs: 20_000 });
\`\`\`

| what goes away | what happens |
| --- | --- |
| your connection | you read on |
| the instance that you read from | you read on, from another |
| the store, for a moment | the writer keeps what it has, and sends it again |
| the writer itself | an honest error, and all text up to it |

Different ends keep different names: *done*, *stopped*, *error*, *deleted*, *expired*. A cut is none of them.`,
  },
  {
    title: "How to put it into your own app",
    keywords: [
      "install",
      "setup",
      "react",
      "hook",
      "integrat",
      "nextjs",
      "next.js",
      "express",
      "hono",
      "my app",
      "own app",
      "use rejoin",
      "get started",
      "code example",
    ],
    summary: "One hook in the browser, one handler and one response helper on the server.",
    body: `Three pieces, and you keep your model, your framework and your database.

**On the server**, the request that asks becomes a stream, and a handler answers for every stream that exists:

\`\`\`ts
const context = createResumableStreamContext({
  store: createInMemoryResumableStreamStore(),
});

export const streams = createResumableStreamHandler({
  context,
  basePath: "/api/streams",
  authorize: (request, { owner }) => owner === userOf(request),
});
\`\`\`

**In the browser**, a provider says where that is, and a hook reads:

\`\`\`tsx
const { message, status, stop } = useResumableStream(streamId);
\`\`\`

| piece | runs | does |
| --- | --- | --- |
| response helper | server | starts the model once, whoever asks |
| handler | server | follow, status, stop, delete |
| hook | browser | folds, keeps its place, reconnects |

Everything speaks the Fetch API, so it fits Next.js, Hono, Bun, Deno or plain Node. When the answer is whole, \`onFinish\` hands you the message to save, whether anybody is still connected or not.`,
  },
  {
    title: "What travels over the wire",
    keywords: [
      "wire",
      "sse",
      "eventsource",
      "protocol",
      "websocket",
      "http",
      "proxy",
      "proxies",
      "stream",
      "cursor",
      "header",
    ],
    summary: "Server-sent events with an id each, so that any EventSource can read them.",
    body: `Plain **server-sent events** over HTTP: no socket to keep open, no sticky sessions, and every proxy and browser knows them.

\`\`\`http
id: 0mqzk3v1p-4hx2r9w7kd.232
data: {"type":"text-delta","path":[1],"textDelta":"Plain"}
\`\`\`

The \`id\` is the **cursor**: the position just after that event. Whoever comes back says the last one it has, in \`Last-Event-ID\`, and gets the rest.

- An event is never cut in half, however the model's own response was chunked.
- Comments travel when there is nothing to say, so that a silent model is not taken for a dead connection.
- A client that asks for *control events* is also told when it has caught up, and how the answer ended.

| request | answer |
| --- | --- |
| \`GET /:id\` | follow from a cursor |
| \`GET /:id/status\` | how it stands |
| \`POST /:id/stop\` | stop, wherever it runs |
| \`DELETE /:id\` | forget it |

A native \`EventSource\` reads all of this as it is, and so does a shell with \`curl\`.`,
  },
  {
    title: "Who is answering here",
    keywords: [
      "who are you",
      "what are you",
      "can you do",
      "your name",
      "what model",
      "which model",
      "hello",
      "hi",
      "hey",
      "help",
      "built-in",
      "thank",
      "yourself",
    ],
    summary: "A small built-in program with a few real tools and these notes; no network, no language model.",
    body: `I am the **built-in model** of this demo: a small program with a few real tools, a handful of notes, and no network. I am not a language model, and I would rather say so than pretend. What I do have is a steady hand: about forty tokens a second, so that you have time to pull the plug.

What I can really do:

| ask me | and I use |
| --- | --- |
| *What is 19% of 84.50, plus 12?* | a calculator that shows its steps |
| *Which weekday is 29 February 2028?* | a calendar |
| *How much is 26.2 miles in km?* | a unit converter |
| *How many r are in strawberry?* | a letter counter |
| *Tell me a story about a lighthouse* | dice, and some imagination |
| *How does an answer survive a reload?* | my notes |

For answers about everything else, start this demo with any OpenAI-compatible server, such as one on your own machine:

\`\`\`sh
OPENAI_BASE_URL=http://localhost:11434/v1 MODEL=llama3.2 npm start
\`\`\`

Meanwhile, the point of this page is not what I say but that you get to read **all of it**:

1. Reload in the middle of this sentence.
2. Switch the network off, and on again.
3. Open this address in a second tab.`,
  },
];
