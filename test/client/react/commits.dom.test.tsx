/** How often components render: as seldom as what they show changes. */
import { memo, Profiler, type ReactNode } from "react";
import { describe, expect, vi } from "vitest";
import { useResumableStream } from "../../../src/index.ts";
import type { AssistantMessagePart } from "../../../src/shared/protocols/assistant-stream/index.ts";
import { Answer, shown } from "../../support/answer.tsx";
import { FRAME_MS, pass, settle } from "../../support/fake-time.ts";
import type { Carrier } from "../../support/network.ts";
import { chunk, it, textOf } from "../../support/stream-app.tsx";

/** Counts frames from now on. */
function countFrames(): () => number {
  let frames = 0;
  const count = (): void => {
    frames += 1;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
  return () => frames;
}

/** A network over which a response that has ended comes in pieces, one a frame. */
const inPieces =
  (pieces: number): Carrier =>
  async (_request, next) => {
    const response = await next();
    const bytes = new Uint8Array(await response.arrayBuffer());
    let piece = 0;
    const body = new ReadableStream({
      async pull(controller) {
        const at = (part: number): number => Math.ceil((bytes.length * part) / pieces);
        controller.enqueue(bytes.slice(at(piece), at(piece + 1)));
        piece += 1;
        if (piece === pieces) controller.close();
        else await new Promise((resolve) => setTimeout(resolve, FRAME_MS));
      },
    });
    return new Response(body, response);
  };

describe("commits", () => {
  it("are three at most for a replay of 10,000 events, and the text never shrinks", async ({ app }) => {
    await app.startElsewhere("s");
    app.source.write(chunk.start, ...Array.from({ length: 9_998 }, () => chunk.text("x")), chunk.finish);
    app.source.end();
    await pass(250);
    expect(await app.context.status("s")).toBe("done");
    const lengths: number[] = [];
    // In pieces, the last of them within the time in which a replay shows as one.
    app.network.carry = inPieces(15);
    let commits = 0;
    function Length(): ReactNode {
      lengths.push(textOf(useResumableStream("s").message).length);
      return null;
    }
    app.load(
      <Profiler id="replay" onRender={() => (commits += 1)}>
        <Length />
      </Profiler>,
    );
    // The page's own, before anything was asked.
    commits = 0;
    await pass(250);
    expect(lengths.at(-1)).toBe(9_998);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(commits).toBeLessThanOrEqual(3);
  });

  it("are one in 250 ms while a replay lasts, and the last one comes with its end", async ({ app }) => {
    await app.startElsewhere("s");
    app.source.write(chunk.start, ...Array.from({ length: 998 }, () => chunk.text("x")), chunk.finish);
    app.source.end();
    await pass();
    app.network.carry = inPieces(2_000 / FRAME_MS);
    const commits: { readonly atMs: number; readonly length: number }[] = [];
    function Length(): ReactNode {
      const { length } = textOf(useResumableStream("s").message);
      if (length !== commits.at(-1)?.length) commits.push({ atMs: Date.now(), length });
      return null;
    }
    app.load(<Length />);
    const openedAt = Date.now();
    await pass(2_000);
    expect(commits.at(-1)?.length).toBe(998);
    // Nothing is there at first; then each shows what came since the one before.
    const shownAt = commits.slice(1).map(({ atMs }) => atMs - openedAt);
    expect(shownAt.slice(0, -1).map((ms) => Math.floor(ms / 250))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(shownAt).toHaveLength(8);
  });

  it("do not wait for a frame when the answer has ended", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.source.write(chunk.text("lo"));
    await settle();
    expect(shown()).toMatchObject({ text: "Hel", status: "streaming" });
    app.source.write(chunk.finish);
    app.source.end();
    await settle();
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });

  it.for([
    ["where there are no frames", undefined, 16],
    ["in a tab that is hidden, where no frame comes", () => 0, 100],
  ] as const)("come by a timer %s", async ([, requestFrame, waitMs], { app }) => {
    vi.stubGlobal("requestAnimationFrame", requestFrame);
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("");
    await pass(waitMs);
    app.source.write(chunk.text("Hello"));
    await settle();
    await pass(waitMs - 1);
    expect(shown().text).toBe("");
    await pass(1);
    expect(shown().text).toBe("Hello");
  });

  it("are one a frame at most while 200 events come in a second, and nothing waits longer", async ({
    app,
  }) => {
    await app.startElsewhere("s");
    let commits = 0;
    app.load(
      <Profiler id="stream" onRender={() => (commits += 1)}>
        <Answer id="s" />
      </Profiler>,
    );
    await app.says("");
    commits = 0;
    const frames = countFrames();
    for (let event = 0; event < 200; event += 1) {
      app.source.write(chunk.text("x"));
      await pass(5);
      // Four events at most come within a frame.
      expect(shown().text.length).toBeGreaterThan(event - 4);
    }
    expect(frames()).toBe(62);
    expect(commits).toBeLessThanOrEqual(frames());
    await pass();
    expect(shown().text).toBe("x".repeat(200));
  });
});

describe("a component with a selector", () => {
  it("renders only when its selection changes, whatever the selector's identity", async ({ app }) => {
    await app.startElsewhere("s");
    const renders: unknown[] = [];
    function Count(): ReactNode {
      renders.push(useResumableStream("s", { select: ({ message }) => message?.parts.length ?? 0 }));
      return null;
    }
    app.load([<Answer key="answer" id="s" />, <Count key="count" />]);
    await app.says("a");
    const before = renders.length;
    for (const text of ["b", "c", "d"]) await app.says(text);
    expect(shown().text).toBe("abcd");
    expect(renders).toHaveLength(before);
    expect(renders.at(-1)).toBe(1);
  });

  it("keeps a selection that is equal to the one before", async ({ app }) => {
    await app.startElsewhere("s");
    const selections: unknown[] = [];
    function Types(): ReactNode {
      selections.push(
        useResumableStream("s", {
          select: ({ message }) => message?.parts.map(({ type }) => type) ?? [],
          isEqual: (a, b) => a.join() === b.join(),
        }),
      );
      return null;
    }
    const content = (): ReactNode => [<Answer key="answer" id="s" />, <Types key="types" />];
    const page = app.load(content());
    await app.says("a");
    const { length } = selections;
    await app.says("b");
    expect(selections).toHaveLength(length);
    page.rerender(app.wrap(content()));
    expect(selections.length).toBeGreaterThan(length);
    expect(selections.at(-1)).toBe(selections[length - 1]);
  });
});

describe("a part", () => {
  it("that did not change keeps its identity, so a memoised component renders only its own changes", async ({
    app,
  }) => {
    const renders: string[] = [];
    const Part = memo(function Part({ part }: { readonly part: AssistantMessagePart }): ReactNode {
      const text = part.type === "text" || part.type === "reasoning" ? part.text : "";
      renders.push(`${part.type} ${text}`);
      return <p>{text}</p>;
    });
    function Parts(): ReactNode {
      const { message } = useResumableStream("s");
      return message?.parts.map((part, at) => <Part key={at} part={part} />);
    }
    await app.startElsewhere("s");
    app.load(<Parts />);
    app.source.write({ type: "part-start", path: [], part: { type: "reasoning" } });
    app.source.write({ type: "text-delta", path: [0], textDelta: "Hm." });
    app.source.write({ type: "part-finish", path: [0] });
    app.source.write(chunk.start);
    await pass();
    renders.length = 0;
    for (const textDelta of ["a", "b", "c"]) {
      app.source.write({ type: "text-delta", path: [1], textDelta });
      await pass();
    }
    expect([...new Set(renders)]).toEqual(["text a", "text ab", "text abc"]);
  });
});
