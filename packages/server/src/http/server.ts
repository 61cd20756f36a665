/** The HTTP server: builds fastify from routes, listens, and stops within a deadline. */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import fastify from "fastify";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Clock } from "../base/clock.ts";
import { HomeostatError, errorMessage } from "../base/error.ts";
import { createId } from "../base/id.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Part } from "../supervision/part.ts";
import type { Store } from "../store/store.ts";
import { answerRoute, admit } from "./answer-route.ts";
import type { AnswerDeps } from "./answer-route.ts";
import { anonymous } from "./access.ts";
import type { Authenticate } from "./authenticate.ts";
import { findPortOwner } from "./find-port-owner.ts";
import { createIdempotency } from "./idempotency.ts";
import { parseJsonBody } from "./json-body.ts";
import { partLargeTexts, putBackOutside } from "./large-texts.ts";
import { defaultLimits } from "./limits.ts";
import type { HttpLimits } from "./limits.ts";
import { notFoundError, sendProblem } from "./not-found.ts";
import { problemType } from "./problem.ts";
import { readBody } from "./read-body.ts";
import type { OriginPolicy } from "./request-checks.ts";
import { checkRequest, observeRequest } from "./request-hooks.ts";
import type { Route } from "./route.ts";
import { parsePath } from "./route.ts";
import type { SseControl } from "./sse.ts";
import { serveDashboard } from "./static-files.ts";
import { createStreamPlaces } from "./stream-places.ts";
import { findLooseObject } from "./validate.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly authenticate: Authenticate;
  /** The built dashboard; without it only the API answers. */
  readonly staticFolder?: string;
  /** Keeps idempotency keys. */
  readonly store: Store;
  /** Who this process is, and whether another is provably gone; see `process-identity.ts`. */
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<HttpLimits>;
  /** Host names besides loopback and `host` under which requests are taken. */
  readonly allowedHosts?: readonly string[];
  /** Addresses the dashboard is published under by a proxy, for example `https://homeostat.example.org`. */
  readonly publicOrigins?: readonly string[];
}

export interface HttpServer extends Part {
  /** Where it listens; throws INTERNAL before `start` has resolved. */
  address(): { readonly host: string; readonly port: number };
}

/** `start` rejects with PORT_TAKEN (and says by whom, where /proc tells) or CONFIG_INVALID (host or port unusable). */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const streams = new Set<SseControl>();
  const stopping = new AbortController();
  let app: FastifyInstance | undefined;
  let stopped: Promise<void> | undefined;

  return {
    name: "http",
    async start() {
      app = await buildApp(options, streams, stopping.signal);
      await listen(app, options);
    },
    stop(deadlineMs) {
      stopped ??= stopServer(app, { streams, stopping, clock: options.clock, deadlineMs });
      return stopped;
    },
    health: () =>
      app?.server.listening === true
        ? { kind: "ok", detail: `${streams.size} live streams` }
        : { kind: "failed", detail: "not listening" },
    address() {
      const bound = app?.server.address();
      if (bound === null || bound === undefined || typeof bound === "string") {
        throw new HomeostatError("INTERNAL", "The HTTP server does not listen yet");
      }
      return { host: bound.address, port: bound.port };
    },
  };
}

/** `/v1/runs/{id}` -> `/v1/runs/:id`, `{+path}` -> `*`. */
function fastifyPath(path: string): string {
  const parts = parsePath(path).map(({ kind, value }) =>
    kind === "text" ? value : kind === "param" ? `:${value}` : "*",
  );
  return `/${parts.join("/")}`;
}

async function buildApp(
  options: HttpServerOptions,
  streams: Set<SseControl>,
  stopping: AbortSignal,
): Promise<FastifyInstance> {
  const limits: HttpLimits = { ...defaultLimits, ...options.limits };
  const origins = originPolicy(options);
  requireSoundRoutes(options.routes);
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyLimitBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    exposeHeadRoutes: false,
    genReqId: () => createId("req", options.clock.now()),
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply, options.logger),
    clientErrorHandler: (error, socket) => refuseBrokenRequest(error, socket),
  });
  app.decorateRequest("state");
  app.addHook("onRequest", async (request, reply) => {
    request.state = { principal: anonymous, trace: undefined, bodyBytes: undefined, largeTexts: new Map() };
    reply.header("x-request-id", request.id).header("cache-control", "no-store");
    if (stopping.aborted) {
      throw new HomeostatError("SERVER_STOPPING", "The server is shutting down", { retryAfterSeconds: 2 });
    }
    checkRequest(request, origins, limits);
  });
  app.addHook("onSend", async (_, reply) => {
    // Else a kept-alive connection would hold the stop up until its deadline.
    if (stopping.aborted) reply.header("connection", "close");
  });
  app.addHook("onResponse", async (request, reply) => observeRequest(request, reply, options));
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, options.logger));
  await app.register(helmet, securityHeaders(options.publicOrigins ?? []));
  await app.register(cookie);
  takeOnlyJson(app, limits);
  const answerDeps: AnswerDeps = {
    idempotency: createIdempotency(options),
    limits,
    origins,
    streams,
    streamPlaces: createStreamPlaces(limits.maxStreams),
    stopping,
    authenticate: options.authenticate,
    clock: options.clock,
    logger: options.logger,
  };
  for (const route of options.routes) addRoute(app, route, answerDeps);
  const dashboard = await serveDashboard(app, options.staticFolder);
  app.setNotFoundHandler(async (request, reply) => {
    if (dashboard !== undefined && (await dashboard(request, reply))) return reply;
    throw notFoundError(request, options.routes, dashboard !== undefined);
  });
  return app;
}

function addRoute(app: FastifyInstance, route: Route, deps: AnswerDeps): void {
  app.route({
    method: route.method,
    url: fastifyPath(route.path),
    config: { route },
    ...(route.bodyLimitBytes === undefined ? {} : { bodyLimit: route.bodyLimitBytes }),
    onRequest: (request, reply) => admit(route, request, reply, deps),
    handler: (request, reply) => answerRoute(route, request, reply, deps),
  });
}

/** Mistakes of ours that would otherwise show as silently ignored input or as a wrong client. */
function requireSoundRoutes(routes: readonly Route[]): void {
  const seen = new Set<string>();
  for (const route of routes) {
    if (seen.has(route.operationId))
      throw new HomeostatError("INTERNAL", `Two routes are called ${route.operationId}`);
    seen.add(route.operationId);
    const loose = route.body === undefined ? undefined : findLooseObject(route.body);
    if (loose !== undefined) {
      throw new HomeostatError("INTERNAL", `${route.operationId}: ${loose} must be a z.strictObject`);
    }
  }
}

function originPolicy(options: HttpServerOptions): OriginPolicy {
  const published = (options.publicOrigins ?? []).map((origin) => new URL(origin));
  return {
    allowedHosts: new Set(
      [options.host, ...(options.allowedHosts ?? []), ...published.map((url) => url.hostname)].map((name) =>
        name.toLowerCase(),
      ),
    ),
    publicOrigins: new Set(published.map((url) => url.origin)),
  };
}

/**
 * Everything the dashboard loads comes from this server, and nothing in a page runs inline: text from a run that ends up as
 * markup stays text. HSTS only where the public address is https, else it would lock plain loopback out.
 */
function securityHeaders(publicOrigins: readonly string[]): Parameters<typeof helmet>[1] & object {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", "data:", "blob:"],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        workerSrc: ["'self'"],
        frameSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: "no-referrer" },
    hsts: publicOrigins.some((origin) => origin.startsWith("https:")),
  };
}

/** Only JSON bodies: a form or plain text is what a foreign page can send without asking the browser first. */
function takeOnlyJson(app: FastifyInstance, limits: HttpLimits): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", async (request: FastifyRequest, payload: Readable) => {
    const { route } = request.routeOptions.config;
    const limitBytes = route?.bodyLimitBytes ?? limits.bodyLimitBytes;
    const body = await readBody(payload, { limitBytes, told: request.headers["content-length"] });
    request.state.bodyBytes = body;
    const place = route?.partsLargeTexts;
    if (place === undefined) return parseJsonBody(body);
    const nonce = randomBytes(16).toString("hex");
    const { json, texts } = partLargeTexts(body, { key: place.key, nonce });
    request.state.largeTexts = texts;
    const value = parseJsonBody(json);
    putBackOutside(place.list, value, texts);
    return value;
  });
}

async function listen(app: FastifyInstance, { host, port }: HttpServerOptions): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") throw await portTaken(host, port, error);
    const known =
      code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "ERR_SOCKET_BAD_PORT";
    if (!known) throw error;
    throw new HomeostatError(
      "CONFIG_INVALID",
      `Cannot listen on ${host} port ${port}: ${errorMessage(error)}`,
      {},
      {
        cause: error,
        hint: "Ports below 1024 need rights; host must be an address of this machine. Use --host and --port.",
      },
    );
  }
}

async function portTaken(host: string, port: number, cause: unknown): Promise<HomeostatError> {
  const owner = await findPortOwner(port);
  const by = owner === undefined ? "another program" : `process ${owner.pid} (${owner.command})`;
  const isOurs = owner !== undefined && /homeostat/.test(owner.command);
  return new HomeostatError(
    "PORT_TAKEN",
    `Port ${port} on ${host} is used by ${by}`,
    { host, port, owner },
    {
      cause,
      ...(isOurs
        ? {
            hint: `Homeostat seems to run already; stop process ${owner.pid} or choose another port with --port.`,
          }
        : {}),
    },
  );
}

async function stopServer(
  app: FastifyInstance | undefined,
  deps: {
    readonly streams: ReadonlySet<SseControl>;
    readonly stopping: AbortController;
    readonly clock: Clock;
    readonly deadlineMs: number;
  },
): Promise<void> {
  deps.stopping.abort(new HomeostatError("SERVER_STOPPING", "The server is shutting down"));
  if (app === undefined) return;
  for (const stream of deps.streams) stream.end("the server is stopping; come back with Last-Event-ID");
  const closed = new AbortController();
  const closing = app.close().finally(() => closed.abort());
  // At the deadline, requests that still run lose their connection; whoever sent them sees it and can ask again.
  await deps.clock.sleep(deps.deadlineMs, closed.signal).then(
    () => app.server.closeAllConnections(),
    () => undefined,
  );
  await closing;
}

/** Answers what is not even HTTP, or too slow or too large to become a request; there is no route and no request id yet. */
function refuseBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, detail] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [431, "The headers are larger than 16 KiB"]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "The request took too long to arrive"]
        : [400, "This is not a well-formed HTTP request"];
  const body = JSON.stringify({
    type: "about:blank",
    title: "Request malformed",
    status,
    detail,
    code: "REQUEST_MALFORMED",
  });
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
