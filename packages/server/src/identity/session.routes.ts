/** Signing in and out of the dashboard: a bearer token is exchanged for a session cookie that scripts cannot read. */
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { roles } from "../http/access.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import { formatSessionCookie } from "../http/session-cookie.ts";
import type { Sessions } from "./sessions.ts";

export interface SessionRoutesDeps {
  readonly sessions: Sessions;
  readonly clock: Clock;
}

export function sessionRoutes({ sessions, clock }: SessionRoutesDeps): readonly Route[] {
  const response = z.object({ principal: z.string(), role: z.enum(roles) }).meta({ id: "SessionState" });
  const common = { path: "/v1/session", tags: ["session"], access: "viewer" } as const;
  return [
    route({
      ...common,
      method: "POST",
      operationId: "session.create",
      summary: "Exchange a bearer token for a session cookie",
      description: "The dashboard calls it once with the token of the sign-in link.",
      status: 201,
      response,
      async handle({ principal, isSecure, setHeader }) {
        const session = await sessions.create(principal);
        const maxAgeSeconds = Math.floor((session.expiresAt - clock.now()) / 1000);
        setHeader("set-cookie", formatSessionCookie(session.value, maxAgeSeconds, isSecure));
        return { principal: principal.id, role: principal.role };
      },
    }),
    route({
      ...common,
      method: "GET",
      operationId: "session.get",
      summary: "Who is signed in",
      response,
      handle: ({ principal }) => ({ principal: principal.id, role: principal.role }),
    }),
    route({
      ...common,
      method: "DELETE",
      operationId: "session.delete",
      summary: "Sign out: end this session",
      response: "none",
      async handle({ sessionValue, isSecure, setHeader }) {
        if (sessionValue !== undefined) await sessions.end(sessionValue);
        setHeader("set-cookie", formatSessionCookie("", 0, isSecure));
      },
    }),
  ];
}
