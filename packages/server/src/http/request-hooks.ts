/** What happens to every request before its route and after its answer: hostile addresses refused, one log line, one count. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { HomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Trace } from "../base/trace.ts";
import type { Principal } from "./access.ts";
import { hasControlCharacter } from "./json-body.ts";
import type { HttpLimits } from "./limits.ts";
import { requireKnownHost } from "./request-checks.ts";
import type { OriginPolicy } from "./request-checks.ts";
import type { Route } from "./route.ts";

/** What we know of a request under way. */
export interface RequestState {
  principal: Principal;
  trace: Trace | undefined;
  /** The body as it came, for the fingerprint of idempotent requests. */
  bodyBytes: Uint8Array | undefined;
  largeTexts: ReadonlyMap<string, Buffer>;
}

declare module "fastify" {
  interface FastifyRequest {
    state: RequestState;
  }
  interface FastifyContextConfig {
    route?: Route;
  }
}

/** Throws REQUEST_HOSTILE, REQUEST_UNSUPPORTED or REQUEST_FORBIDDEN before anything else looks at the request. */
export function checkRequest(request: FastifyRequest, origins: OriginPolicy, limits: HttpLimits): void {
  const url = request.raw.url ?? "/";
  if (url.length > limits.maxUrlLength) {
    throw new HomeostatError(
      "REQUEST_HOSTILE",
      `The address is ${url.length} characters long; ${limits.maxUrlLength} are taken`,
    );
  }
  if (hasControlCharacter(decoded(url))) {
    throw new HomeostatError("REQUEST_HOSTILE", "The address holds a control character");
  }
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new HomeostatError(
      "REQUEST_UNSUPPORTED",
      `Content-Encoding "${encoding.slice(0, 40)}" is not taken`,
    );
  }
  if (request.routeOptions.config.route?.anyHost !== true) requireKnownHost(request.headers.host, origins);
}

/** One line and one count per finished request: no query, no headers, so no credentials. */
export function observeRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): void {
  const route = request.routeOptions.config.route;
  const durationMs = Math.round(reply.elapsedTime * 10) / 10;
  const status = reply.raw.statusCode;
  const labels = { method: request.method, route: route?.path ?? "other" };
  metrics.count("homeostat_http_requests_total", { ...labels, status: String(status) });
  if (route?.response !== "sse") {
    metrics.observe("homeostat_http_request_duration_seconds", labels, reply.elapsedTime / 1000);
  }
  const context = {
    requestId: request.id,
    trace_id: request.state.trace?.traceId,
    operation: route?.operationId,
    method: request.method,
    path: pathOf(request),
    status,
    durationMs,
    principal: request.state.principal.id,
    remote: request.ip,
  };
  const line = `${request.method} ${pathOf(request)} ${status}`;
  // Probes and page files would drown the lines people look for.
  if (route === undefined || route.anyHost === true) logger.debug(context, line);
  else logger.info(context, line);
}

/** The path without its query, bounded. */
export function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? "/").split("?", 1)[0]!.slice(0, 500);
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    // Broken encoding in the path is fastify's to refuse; in the query it decodes the parts that can be.
    return url.replace(/%([01][0-9a-f]|7f)/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  }
}
