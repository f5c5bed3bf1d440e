/** The demo's page as its user has it: what can be pressed, and what can be read. */
import { expect } from "vitest";
import type { Conversation, ConversationMessage } from "../../../demo/shared/conversation.ts";
import type { Browser, BrowserContext, Locator, Page } from "playwright";

/** How long a condition may take to come true. */
export const PATIENCE_MS = 30_000;

/** A chat in a tab. */
export interface ChatPage {
  readonly page: Page;
  readonly badge: Locator;
  /** The newest answer. */
  readonly answer: Locator;
  ask(question: string): Promise<void>;
  /** Waits until the newest answer shows these words. */
  shows(words: string): Promise<void>;
  /** Waits until the newest answer is in this state. */
  reaches(status: string): Promise<void>;
  /** The text of the newest answer, without what is said about it. */
  text(): Promise<string>;
  press(name: string): Promise<void>;
  conversationId(): string;
}

/** The answers of the chat's conversation, as the server has saved them. */
export async function savedAnswers(
  chat: ChatPage,
): Promise<Extract<ConversationMessage, { role: "assistant" }>[]> {
  const response = await chat.page.request.get(`/api/conversations/${chat.conversationId()}`);
  const conversation: Conversation = await response.json();
  return conversation.messages.filter((message) => message.role === "assistant");
}

/** The text of a conversation's newest answer as a tab shows it that was opened after the end. */
export async function uninterruptedText(visitor: BrowserContext, { page }: ChatPage): Promise<string> {
  const fresh = await openChat(visitor, page.url());
  await fresh.reaches("done");
  const text = await fresh.text();
  await fresh.page.close();
  return text;
}

/** A visitor: cookies and storage of their own. */
export async function newVisitor(
  browser: Browser,
  url: string,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL: url, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

/** Opens an address in a new tab. An error that the page does not catch fails the test. */
export async function openChat(context: BrowserContext, path = "/"): Promise<ChatPage> {
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  await page.goto(path);
  return chatOf(page);
}

function chatOf(page: Page): ChatPage {
  const answer = page.locator("[data-role=assistant]").last();
  return {
    page,
    answer,
    badge: page.getByRole("status"),
    async ask(question) {
      await page.getByRole("textbox", { name: "Message" }).fill(question);
      await page.getByRole("button", { name: "Send" }).click();
    },
    shows: (words) => answer.locator(".answer-body", { hasText: words }).waitFor(),
    async reaches(status) {
      await page.locator(`[data-role=assistant][data-status=${status}]`).last().waitFor();
      expect(await answer.getAttribute("data-status")).toBe(status);
    },
    text: async () => (await answer.locator(".answer-body").textContent()) ?? "",
    press: (name) => page.getByRole("button", { name, exact: true }).click(),
    conversationId: () => new URL(page.url()).pathname.replace("/c/", ""),
  };
}
