/** An answer that streams, is cut, is reloaded: with rejoin's own server in the page. */
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect, fn, mocked, userEvent, waitFor, within } from "storybook/test";
import type { InPageServer } from "./in-page-server.ts";
import { Stage, type StageProps } from "./stage.tsx";

const meta: Meta<typeof Stage> = {
  title: "An answer",
  component: Stage,
  args: { chunksPerSecond: 60, onServer: fn() },
  argTypes: { onServer: { table: { disable: true } } },
};

export default meta;

type Story = StoryObj<typeof Stage>;

/** It streams: reasoning, a tool call with its arguments and result, Markdown. */
export const Streaming: Story = {
  async play({ args, canvasElement, step }) {
    const server = await serverOf(args);
    const view = viewOf(canvasElement, server);
    await step("ask", () => view.press("Ask"));
    await view.reaches("streaming");
    await step("each part shows as it comes", async () => {
      await waitFor(() => expect(view.text()).toContain("there is a tool that measures"), PATIENT);
      await waitFor(() => expect(view.text()).toContain('"cutAt": 231'), PATIENT);
      await waitFor(() => expect(view.answer().querySelector("table")).not.toBeNull(), PATIENT);
    });
    await view.reaches("done");
    await view.isWhole();
  },
};

/** The network goes away in the middle, and comes back. */
export const NetworkDropAndResume: Story = {
  async play({ args, canvasElement, step }) {
    const server = await serverOf(args);
    const view = viewOf(canvasElement, server);
    await step("ask, and read a while", async () => {
      await view.press("Ask");
      await waitFor(() => expect(view.text()).toContain("A cut costs"), PATIENT);
    });
    await step("cut the network", async () => {
      await view.press("Cut the network");
      await view.reaches("reconnecting");
      await expect(view.badge()).toHaveTextContent("Reconnecting");
    });
    await step("the model writes on, and what was read stays", async () => {
      const read = view.text();
      await server.finished;
      await expect(view.text()).toBe(read);
      await expect(read).not.toContain("231 + 121 = 352");
    });
    await step("restore the network", async () => {
      await view.press("Restore");
      await view.reaches("done");
      await view.isWhole();
      await expect(view.answer()).toHaveTextContent("Rejoined after a cut");
    });
  },
};

/** The page is reloaded in the middle, and no request is answered for a while. */
export const ReloadAndResume: Story = {
  async play({ args, canvasElement, step }) {
    const server = await serverOf(args);
    const view = viewOf(canvasElement, server);
    await step("ask, and read a while", async () => {
      await view.press("Ask");
      await waitFor(() => expect(view.text()).toContain("A cut costs"), PATIENT);
    });
    await step("reload, with every answer of the network held back", async () => {
      server.hold();
      await view.press("Reload");
      await expect(view.answer()).toHaveAttribute("data-status", "connecting");
    });
    await step("the text read so far is on the screen", async () => {
      await expect(view.text()).toContain("there is a tool that measures");
      await expect(view.text()).toContain("A cut costs");
    });
    await step("let the network answer", async () => {
      server.release();
      await view.reaches("done");
      await view.isWhole();
      await expect(view.answer()).toHaveTextContent("Rejoined after a reload");
    });
    await step("only what was missing was sent", async () => {
      const [, second] = server.connections;
      await expect(second?.from).not.toBe("");
      await expect(seqOf(second?.entries[0])).toBe(seqOf(second?.from) + 1);
    });
  },
};

/** Conditions are waited for; this is when a story gives up. */
const PATIENT = { timeout: 15_000 };

/** The server that the story runs against. */
async function serverOf({ onServer }: StageProps): Promise<InPageServer> {
  await waitFor(() => expect(onServer).toHaveBeenCalled());
  const server = mocked(onServer).mock.lastCall?.[0];
  if (server === undefined) throw new Error("The story has no server.");
  return server;
}

function viewOf(canvasElement: HTMLElement, server: InPageServer) {
  const canvas = within(canvasElement);
  const answer = (): HTMLElement => canvas.getByRole("article", { name: "Answer" });
  const text = (): string => answer().textContent;
  return {
    answer,
    text,
    badge: () => canvas.getByRole("status"),
    press: async (name: string) => userEvent.click(await canvas.findByRole("button", { name })),
    reaches: (status: string) =>
      waitFor(() => expect(answer()).toHaveAttribute("data-status", status), PATIENT),
    /** The model ran once, and its last words are there once. */
    async isWhole() {
      const { parts } = await server.finished;
      await expect(server.runs()).toBe(1);
      for (const part of parts) {
        if (part.type === "reasoning") await expect(text()).toContain(part.text);
        if (part.type === "tool-call") await expect(text()).toContain(part.argsText);
      }
      await expect(text().split("Nothing was sent twice, and nothing is missing").length - 1).toBe(1);
      await expect(text()).toContain("231 + 121 = 352");
    },
  };
}

/** The sequence number that a cursor ends with: in a test one may look into it. */
function seqOf(cursor: string | undefined): number {
  return Number(cursor?.split(".")[1]);
}
