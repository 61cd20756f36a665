/** Routes as data: one description gives the handler its types, the server its checks and OpenAPI its document. */
import type { Readable } from "node:stream";
import type { z } from "zod";
import type { Trace } from "../base/trace.ts";
import type { Access, Principal } from "./access.ts";
import type { LargeTextPlace } from "./large-texts.ts";
import type { SseStream } from "./sse.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A schema is JSON; the words are the other kinds of answer. `none` answers 204 without a body. */
export type ResponseKind = z.ZodType | "bytes" | "text" | "sse" | "none";

/** Handlers may return readonly data: the server only serializes it. */
export type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

export interface BytesAnswer {
  readonly body: Uint8Array | Readable;
  readonly contentType: string;
  /** Sent as Content-Length for streams; known already for buffers. */
  readonly sizeBytes?: number;
  /** These win over the server's own, for example a stricter Content-Security-Policy. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TextAnswer {
  readonly body: string;
  /** `text/plain; charset=utf-8` by default. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answer<R extends ResponseKind> = R extends z.ZodType
  ? DeepReadonly<z.input<R>>
  : R extends "bytes"
    ? BytesAnswer
    : R extends "text"
      ? TextAnswer
      : void;

export interface RouteRequest<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** `anonymous` on public routes. */
  readonly principal: Principal;
  /** Aborted when the caller went away, the route's time is up or the server stops. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** To hand on to work this request starts. */
  readonly trace: Trace;
  /** Names in lower case; Authorization and Cookie are left out. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The caller's Idempotency-Key on idempotent routes; store it with what is created so that a crash cannot double it. */
  readonly idempotencyKey: string | undefined;
  /** The body byte for byte, for routes that check a signature over it; undefined without one. */
  readonly bodyBytes: Uint8Array | undefined;
  /** With `partsLargeTexts`: long base64 texts of the body, by the names that stand for them in `body`. */
  readonly largeTexts: ReadonlyMap<string, Buffer>;
  /** On public routes, which judge it themselves: the Authorization header as it came. */
  readonly ownAuthorization: string | undefined;
  /** The session cookie's value, for signing out. */
  readonly sessionValue: string | undefined;
  /** True when the connection or the public address is https: cookies are then marked Secure. */
  readonly isSecure: boolean;
  /** Adds a header to a successful answer (Location, Set-Cookie). */
  setHeader(name: string, value: string): void;
  /** Replaces the route's success status, for answers that are no error and yet not the usual (503 of a probe). */
  setStatus(status: number): void;
}

export type Handler<P, Q, B, R extends ResponseKind> = R extends "sse"
  ? (request: RouteRequest<P, Q, B>, stream: SseStream) => Promise<void>
  : (request: RouteRequest<P, Q, B>) => Promise<Answer<R>> | Answer<R>;

interface RouteFacts {
  readonly method: Method;
  /** `/v1/runs/{id}`; `{+path}` as the last part takes the rest, slashes included. */
  readonly path: string;
  /** `resource.verb`, unique; the typed client and the CLI call it by this name. */
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly access: Access;
  /** Success status; 200, or 204 for `none`, by default. */
  readonly status?: number;
  /** Honours `Idempotency-Key`: the first success is kept 24 hours and answered again. */
  readonly idempotent?: boolean;
  /** 1 MiB by default. */
  readonly bodyLimitBytes?: number;
  /** Long base64 texts there are not read with the rest of the body; `largeTexts` has them. */
  readonly partsLargeTexts?: LargeTextPlace;
  /** Time for the handler; the server's default otherwise. SSE has none. */
  readonly timeoutMs?: number;
  /** Answers under any Host header: only for terse probes, which cluster software calls by address. */
  readonly anyHost?: boolean;
}

export interface RouteDefinition<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends ResponseKind,
> extends RouteFacts {
  readonly params?: P;
  /** Values arrive as strings: use `z.coerce.number()`, `z.stringbool()`. */
  readonly query?: Q;
  /** Use `z.strictObject` at every level: unknown keys are errors, and the server refuses to start otherwise. */
  readonly body?: B;
  readonly response: R;
  readonly handle: Handler<z.output<P>, z.output<Q>, z.output<B>, R>;
}

/** A route with its types forgotten, as the server holds it; the schemas have parsed before `handle` sees anything. */
export interface Route extends RouteFacts {
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly response: ResponseKind;
  readonly handle: (request: RouteRequest<unknown, unknown, unknown>, stream: SseStream) => unknown;
}

type NoFields = z.ZodObject<Record<never, never>>;

/**
 * Types a route's handler by its schemas.
 *
 * @example
 * route({
 *   method: "GET", path: "/v1/runs/{id}", operationId: "runs.get", summary: "One run", tags: ["runs"], access: "viewer",
 *   params: z.object({ id: z.string() }), response: runDetail,
 *   handle: ({ params }) => runs.require(params.id),
 * })
 */
export function route<
  R extends ResponseKind,
  P extends z.ZodObject = NoFields,
  Q extends z.ZodObject = NoFields,
  B extends z.ZodType = z.ZodUndefined,
>(definition: RouteDefinition<P, Q, B, R>): Route {
  // The server hands the handler what these very schemas parsed, so forgetting the types here loses no check.
  return definition as unknown as Route;
}

export interface PathPart {
  readonly kind: "text" | "param" | "rest";
  readonly value: string;
}

/** `/v1/runs/{id}` as parts: text `v1`, text `runs`, param `id`. */
export function parsePath(path: string): readonly PathPart[] {
  return path
    .split("/")
    .slice(1)
    .map((part) => {
      const match = /^\{(\+?)([A-Za-z][A-Za-z0-9]*)\}$/.exec(part);
      if (match === null) return { kind: "text", value: part };
      return { kind: match[1] === "+" ? "rest" : "param", value: match[2]! };
    });
}
