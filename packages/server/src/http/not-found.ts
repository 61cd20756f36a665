/** Answers for addresses and methods no route has, and the one function that sends a problem document. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { HomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { isFault, problemHeaders, problemOf, problemType } from "./problem.ts";
import { pathOf } from "./request-hooks.ts";
import { parsePath } from "./route.ts";
import type { Route } from "./route.ts";

/** NOT_FOUND, or REQUEST_METHOD_NOT_ALLOWED with the methods that do exist at this address. */
export function notFoundError(
  request: FastifyRequest,
  routes: readonly Route[],
  hasDashboard: boolean,
): HomeostatError {
  const path = pathOf(request);
  const allow = [
    ...new Set(routes.filter((route) => matches(route.path, path)).map((route) => route.method)),
  ];
  if (allow.length > 0) {
    const message = `${path} does not take ${request.method.slice(0, 20)}, only ${allow.join(", ")}`;
    return new HomeostatError("REQUEST_METHOD_NOT_ALLOWED", message, { allow });
  }
  const isPage = request.method === "GET" && !path.startsWith("/v1/");
  const hint = isPage && !hasDashboard ? "The dashboard is not built; run `npm run build` once." : undefined;
  return new HomeostatError(
    "NOT_FOUND",
    `Nothing answers at ${path}`,
    {},
    hint === undefined ? {} : { hint },
  );
}

/** Sends the problem document for anything thrown; faults of ours go to the log with their cause. */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const problem = problemOf(error, { requestId: String(request.id), instance: pathOf(request) });
  if (isFault(error))
    logger.error({ requestId: request.id, err: error }, `${problem.code}: ${problem.detail}`);
  // Set here too: what the framework refuses by itself (a broken address) has passed no hook.
  reply.header("x-request-id", problem.requestId).header("x-content-type-options", "nosniff");
  return reply
    .code(problem.status)
    .headers(problemHeaders(error))
    .type(problemType)
    .send(JSON.stringify(problem));
}

function matches(pattern: string, path: string): boolean {
  const parts = parsePath(pattern);
  const given = path.split("/").slice(1);
  const hasRest = parts.at(-1)?.kind === "rest";
  if (hasRest ? given.length < parts.length : given.length !== parts.length) return false;
  return parts.every((part, index) => part.kind !== "text" || part.value === given[index]);
}
