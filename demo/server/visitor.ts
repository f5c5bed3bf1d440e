/** Who a visitor is: a random name in a cookie, given with the first page. It owns the visitor's streams. */
import { randomBytes } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { parse, serialize } from "hono/utils/cookie";

const COOKIE = "rejoin_demo_visitor";
const NAME = /^[A-Za-z0-9_-]{22}$/;
const YEAR_S = 365 * 24 * 3600;

/** What {@link giveName} leaves in Hono's context. */
export interface VisitorEnv {
  Variables: { visitor: string };
}

/** The visitor's name, as the cookie has it; `null` where there is none. */
export function visitorOf(request: Request): string | null {
  const name = parse(request.headers.get("cookie") ?? "", COOKIE)[COOKIE];
  return name !== undefined && NAME.test(name) ? name : null;
}

/** Gives a visitor without a name one. */
export const giveName: MiddlewareHandler<VisitorEnv> = async (c, next) => {
  const known = visitorOf(c.req.raw);
  const visitor = known ?? randomBytes(16).toString("base64url");
  c.set("visitor", visitor);
  await next();
  if (known !== null) return;
  const cookie = serialize(COOKIE, visitor, {
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
    maxAge: YEAR_S,
    // The demo is served over plain HTTP on a loopback address, where a secure cookie would be lost.
    secure: new URL(c.req.url).protocol === "https:",
  });
  c.res.headers.append("set-cookie", cookie);
};
