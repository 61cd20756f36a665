/** One request through one route: who may, is the input right, run the handler within its time, send what it returned. */
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { createTrace, formatTraceparent, parseTraceparent } from "../base/trace.ts";
import { mayUse } from "./access.ts";
import type { Authenticate } from "./authenticate.ts";
import type { Idempotency, KeptAnswer } from "./idempotency.ts";
import type { HttpLimits } from "./limits.ts";
import { problemOf } from "./problem.ts";
import { requireSameOrigin } from "./request-checks.ts";
import type { OriginPolicy } from "./request-checks.ts";
import { pathOf } from "./request-hooks.ts";
import { parsePath } from "./route.ts";
import type { BytesAnswer, Route, RouteRequest, TextAnswer } from "./route.ts";
import { sessionCookieName } from "./session-cookie.ts";
import { createSseStream } from "./sse.ts";
import type { SseControl, SseStream } from "./sse.ts";
import type { StreamPlaces } from "./stream-places.ts";
import { validate } from "./validate.ts";

export interface AnswerDeps {
  readonly authenticate: Authenticate;
  readonly idempotency: Idempotency;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: HttpLimits;
  readonly origins: OriginPolicy;
  /** Open streams; the server ends them when it stops. */
  readonly streams: Set<SseControl>;
  readonly streamPlaces: StreamPlaces;
  readonly stopping: AbortSignal;
}

/** Before the body is read: a stranger's upload costs nothing. Throws REQUEST_FORBIDDEN and AUTHENTICATION or AUTHORIZATION codes. */
export async function admit(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  deps: AnswerDeps,
): Promise<void> {
  const { authorization, host, origin } = request.headers;
  const sessionCookie = request.cookies[sessionCookieName];
  const usesCookie = authorization === undefined && sessionCookie !== undefined && route.access !== "public";
  const secFetchSite = header(request, "sec-fetch-site");
  requireSameOrigin({ method: request.method, host, origin, secFetchSite, usesCookie }, deps.origins);
  if (route.access !== "public") {
    const principal = await deps.authenticate({ authorization, sessionCookie, remoteAddress: request.ip });
    if (!mayUse(principal.role, route.access)) {
      throw new HomeostatError(
        "AUTHORIZATION_DENIED",
        `${route.operationId} needs the role ${route.access}; ${principal.id} has ${principal.role}`,
      );
    }
    request.state.principal = principal;
  }
  // A stranger must not write into our traces: only an authenticated caller's trace goes on.
  const caller = route.access === "public" ? undefined : parseTraceparent(header(request, "traceparent"));
  request.state.trace = createTrace(caller);
  reply.header("traceparent", formatTraceparent(request.state.trace));
}

export async function answerRoute(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  deps: AnswerDeps,
): Promise<FastifyReply> {
  const inputs = validate(route, {
    params: pathParams(route, request.params),
    query: request.query,
    body: request.body,
  });
  const cancel = new AbortController();
  const leave = (): void => cancel.abort(new HomeostatError("REQUEST_CONFLICT", "The caller went away"));
  reply.raw.once("close", leave);
  const signal = AbortSignal.any([cancel.signal, deps.stopping]);
  const handed: RouteRequest<unknown, unknown, unknown> = {
    ...inputs,
    principal: request.state.principal,
    signal,
    requestId: String(request.id),
    trace: request.state.trace ?? createTrace(),
    headers: harmlessHeaders(request),
    idempotencyKey: route.idempotent === true ? header(request, "idempotency-key") : undefined,
    bodyBytes: request.state.bodyBytes,
    largeTexts: request.state.largeTexts,
    ownAuthorization: route.access === "public" ? request.headers.authorization : undefined,
    sessionValue: request.cookies[sessionCookieName],
    isSecure: request.protocol === "https" || request.headers.origin?.startsWith("https:") === true,
    setHeader: (name, value) => void reply.header(name, value),
    setStatus: (status) => void reply.code(status),
  };
  if (route.response === "sse") return answerStream(route, handed, reply, deps);
  if (handed.idempotencyKey !== undefined) return answerOnce(route, handed, { request, reply, deps });
  reply.code(successStatus(route));
  return send(route, reply, await runHandler(route, handed, deps));
}

/**
 * A handler within its time. On expiry its signal is aborted and the caller hears TIMEOUT; what it still does is ignored, but
 * that it does something is known to `onWork`: the promise given there resolves when the handler has ended.
 */
async function runHandler(
  route: Route,
  request: RouteRequest<unknown, unknown, unknown>,
  deps: AnswerDeps,
  onWork: (ended: Promise<void>) => void = () => undefined,
): Promise<unknown> {
  const timeoutMs = route.timeoutMs ?? deps.limits.handlerTimeoutMs;
  const done = new AbortController();
  const expired = new AbortController();
  const signal = AbortSignal.any([request.signal, expired.signal]);
  const timeout = deps.clock.sleep(timeoutMs, done.signal).then(() => {
    const error = new HomeostatError(
      "TIMEOUT",
      `${route.operationId} did not answer within ${timeoutMs / 1000} s`,
    );
    expired.abort(error);
    throw error;
  });
  try {
    const work = Promise.resolve(route.handle({ ...request, signal }, noStream));
    onWork(
      work.then(
        () => undefined,
        () => undefined,
      ),
    );
    return await Promise.race([work, timeout]);
  } finally {
    timeout.catch(() => undefined);
    done.abort();
  }
}

async function answerOnce(
  route: Route,
  handed: RouteRequest<unknown, unknown, unknown>,
  place: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly deps: AnswerDeps },
): Promise<FastifyReply> {
  const { request, reply, deps } = place;
  const { principal, requestId } = handed;
  const turn = await deps.idempotency.begin({
    tenant: principal.tenant,
    principal: principal.id,
    key: handed.idempotencyKey ?? "",
    fingerprint: sha256(`${request.method} ${request.raw.url}\n${sha256(request.state.bodyBytes ?? "")}`),
    requestId,
  });
  if (turn.kind === "replay") {
    const { status, headers, body } = turn.answer;
    return reply.code(status).headers(headers).header("idempotency-replayed", "true").send(body);
  }
  reply.code(successStatus(route));
  const headers: Record<string, string> = {};
  const setHeader = (name: string, value: string): void => {
    headers[name] = value;
    handed.setHeader(name, value);
  };
  let answer: KeptAnswer;
  let ended = Promise.resolve();
  try {
    const value = await runHandler(route, { ...handed, setHeader }, deps, (work) => (ended = work));
    const body = jsonOf(route, value);
    answer = { status: reply.statusCode, headers: { ...headers, "content-type": jsonType }, body };
  } catch (error) {
    const released = ended.then(() => turn.release());
    // One whose time is over may still be at work: the same command again must not begin beside it.
    if (isHomeostatError(error, "TIMEOUT")) released.catch(() => undefined);
    else await released;
    throw error;
  }
  await turn.keep(answer);
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}

function successStatus(route: Route): number {
  return route.status ?? (route.response === "none" ? 204 : 200);
}

const jsonType = "application/json; charset=utf-8";

function send(route: Route, reply: FastifyReply, value: unknown): FastifyReply {
  switch (route.response) {
    case "none":
      return reply.send();
    case "text": {
      const answer = value as TextAnswer;
      const type = answer.contentType ?? "text/plain; charset=utf-8";
      return reply
        .type(type)
        .headers(answer.headers ?? {})
        .send(answer.body);
    }
    case "bytes": {
      const answer = value as BytesAnswer;
      if (answer.sizeBytes !== undefined) reply.header("content-length", String(answer.sizeBytes));
      const body = answer.body instanceof Readable ? answer.body : Buffer.from(answer.body);
      return reply
        .type(answer.contentType)
        .headers(answer.headers ?? {})
        .send(body);
    }
    case "sse":
      throw new HomeostatError("INTERNAL", `${route.operationId} is a stream`);
    default:
      return reply.type(jsonType).send(jsonOf(route, value));
  }
}

/** An answer that is not what the document promises is our fault and is not sent; unknown keys are left out. */
function jsonOf(route: Route, value: unknown): string {
  const schema = route.response as z.ZodType;
  const parsed = schema.safeParse(value);
  if (parsed.success) return JSON.stringify(parsed.data);
  throw new HomeostatError(
    "INTERNAL",
    `${route.operationId} answered what its schema does not allow`,
    {},
    {
      cause: parsed.error,
    },
  );
}

async function answerStream(
  route: Route,
  handed: RouteRequest<unknown, unknown, unknown>,
  reply: FastifyReply,
  deps: AnswerDeps,
): Promise<FastifyReply> {
  const { tenant, id } = handed.principal;
  const leave = deps.streamPlaces.enter(`${tenant}/${id}`);
  const stream = createSseStream({
    response: reply.raw,
    lastEventId: handed.headers["last-event-id"],
    clock: deps.clock,
    heartbeatMs: deps.limits.streamHeartbeatMs,
    maxBufferedBytes: deps.limits.streamBufferBytes,
    takeOver: () => {
      const headers = reply.getHeaders();
      reply.hijack();
      return headers;
    },
  });
  deps.streams.add(stream);
  try {
    await route.handle({ ...handed, signal: AbortSignal.any([handed.signal, stream.signal]) }, stream);
    stream.open();
  } catch (error) {
    if (!stream.isOpen) throw error;
    if (!stream.signal.aborted) reportInStream(error, handed, reply, { stream, deps });
  } finally {
    deps.streams.delete(stream);
    leave();
    if (stream.isOpen) stream.end();
  }
  return reply;
}

/** The head is sent already, so the problem document comes as an event named `error`. */
function reportInStream(
  error: unknown,
  handed: RouteRequest<unknown, unknown, unknown>,
  reply: FastifyReply,
  place: { readonly stream: SseControl; readonly deps: AnswerDeps },
): void {
  const problem = problemOf(error, { requestId: handed.requestId, instance: pathOf(reply.request) });
  place.deps.logger.error({ requestId: handed.requestId, err: error }, `stream ended: ${problem.detail}`);
  place.stream.send({ event: "error", data: problem });
}

/** Stands in where a route has no stream; such routes never look at it. */
const noStream: SseStream = {
  lastEventId: undefined,
  signal: AbortSignal.abort(),
  open: () => undefined,
  send: () => undefined,
  drained: () => Promise.resolve(),
};

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function harmlessHeaders(request: FastifyRequest): Readonly<Record<string, string | undefined>> {
  const names = Object.keys(request.headers).filter((name) => name !== "authorization" && name !== "cookie");
  return Object.fromEntries(names.map((name) => [name, header(request, name)]));
}

/** Fastify calls the rest of a path `*`; the route gave it a name. Dot parts would mean another address than they show. */
function pathParams(route: Route, params: unknown): Readonly<Record<string, string>> {
  const given = params as Readonly<Record<string, string>>;
  const rest = parsePath(route.path).find((part) => part.kind === "rest");
  if (rest === undefined) return { ...given };
  const { "*": value = "", ...others } = given;
  if (value.split("/").some((part) => part === "." || part === "..")) {
    throw new HomeostatError("REQUEST_HOSTILE", "The address holds `.` or `..` as a part of its path");
  }
  return { ...others, [rest.value]: value };
}
