/** Mints an id: a UUID. Also where a page has no secure context, and so no `crypto.randomUUID`. */
export function createStreamId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
