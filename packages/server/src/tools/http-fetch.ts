/** `http.get` reads from allowed hosts, `http.request` changes something there; both see public addresses only. */
import { lookup } from "node:dns/promises";
import { validateHeaderName, validateHeaderValue } from "node:http";
import { isIP } from "node:net";
import { z } from "zod";
import type { JsonValue } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import { findAddressProblem } from "./http-address.ts";
import { decodeBody } from "./http-body.ts";
import { exchange } from "./http-exchange.ts";
import type { ExchangeDeps, ExchangeResponse } from "./http-exchange.ts";
import { hostOf, parseUrl, portOf, requireAllowedHost, resourceOfUrl } from "./http-hosts.ts";
import type { ResolvedAction, Tool, ToolContext, ToolResult } from "./tool.ts";

export interface HttpGetArgs {
  readonly url: string;
  readonly method: "GET" | "HEAD";
  readonly headers: Readonly<Record<string, string>>;
  readonly as: "auto" | "text" | "json" | "base64";
  readonly maxBytes: number;
  readonly allowErrorStatus: boolean;
}

export interface HttpRequestArgs extends Omit<HttpGetArgs, "method"> {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: string | undefined;
  readonly json?: JsonValue | undefined;
}

/** 5 MiB: a page or an API's answer; larger things are downloads and not for the journal. */
const defaultMaxBytes = 5 * 1024 * 1024;
const largestMaxBytes = 16 * 1024 * 1024;
/** Enough for http to https, a bare domain to www, and a login bounce; Fetch's 20 help only loops. */
const maxRedirects = 5;

/** Hop-by-hop and framing headers (RFC 9110 section 7.6.1) are the connection's business; Host is the URL's. */
const refusedHeaders: ReadonlySet<string> = new Set(
  (
    "accept-encoding connection content-length expect host keep-alive proxy-authenticate proxy-authorization " +
    "proxy-connection te trailer transfer-encoding upgrade"
  ).split(" "),
);

const shared = {
  url: z.string().max(8_192).describe("Absolute http or https URL of an allowed host."),
  headers: z.record(z.string(), z.string()).default({}).describe("Request headers."),
  as: z
    .enum(["auto", "text", "json", "base64"])
    .default("auto")
    .describe("Form of the body in the output; `auto` goes by Content-Type."),
  maxBytes: z
    .int()
    .min(1)
    .max(largestMaxBytes)
    .default(defaultMaxBytes)
    .describe("Largest answer that is read."),
  allowErrorStatus: z.boolean().default(false).describe("Let the step succeed on status 400 and above too."),
};

/** Headers and members of `json` are of as many kinds as their names say: they are inferred one by one. */
const sharedRoles: NonNullable<Tool["argumentRoles"]> = {
  url: "host",
  method: "option",
  as: "option",
  maxBytes: "option",
  allowErrorStatus: "option",
};

const getArgs = z.strictObject({
  ...shared,
  method: z.enum(["GET", "HEAD"]).default("GET").describe("HEAD asks for the headers alone."),
});

const requestArgs = z.strictObject({
  ...shared,
  method: z.enum(["POST", "PUT", "PATCH", "DELETE"]).default("POST").describe("What is to be done."),
  body: z.string().optional().describe("Text body; give its Content-Type in `headers`."),
  json: z.json().optional().describe("A value sent as application/json, instead of `body`."),
});

/** The system's resolver: /etc/hosts and DNS, in its own order. */
export async function resolveHostBySystem(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true, order: "verbatim" })).map((found) => found.address);
}

export function createHttpGetTool(deps: ExchangeDeps): Tool<HttpGetArgs> {
  return {
    name: "http.get",
    description: "Fetch a URL of an allowed host with GET or HEAD; follows redirects to allowed hosts.",
    args: getArgs,
    effect: "idempotent",
    files: "none",
    risk: "medium",
    argumentRoles: sharedRoles,
    failureLabels: () => ["web"],
    defaultTimeoutMs: 30_000,
    maxTimeoutMs: 600_000,
    async resolve(given) {
      return resolveCall({ ...given }, deps);
    },
    async execute(resolved, context) {
      const given = getArgs.parse(resolved.args);
      const response = await exchange({ ...given, ...wayOf(given, context), maxRedirects }, deps);
      return toResult(response, given);
    },
  };
}

/** Redirects of a change are answered, not followed: policy judged one address, and a body must not travel further. */
export function createHttpRequestTool(deps: ExchangeDeps): Tool<HttpRequestArgs> {
  return {
    name: "http.request",
    description:
      "Send POST, PUT, PATCH or DELETE to an allowed host, once; redirects are answered, not followed.",
    args: requestArgs,
    effect: "unsafe",
    files: "none",
    risk: "high",
    argumentRoles: { ...sharedRoles, body: "body" },
    failureLabels: () => ["web"],
    defaultTimeoutMs: 30_000,
    maxTimeoutMs: 600_000,
    async resolve(given) {
      if (given.body !== undefined && given.json !== undefined) {
        throw new HomeostatError("ACTION_INVALID", "Give `body` or `json`, not both");
      }
      return resolveCall({ ...given }, deps);
    },
    async execute(resolved, context) {
      const given = requestArgs.parse(resolved.args);
      const text = given.json === undefined ? given.body : JSON.stringify(given.json);
      const headers = {
        ...(given.json === undefined ? {} : { "content-type": "application/json" }),
        ...given.headers,
        // draft-ietf-httpapi-idempotency-key-header: a server that honours it makes a repeat harmless.
        "idempotency-key": given.headers["idempotency-key"] ?? context.idempotencyKey,
      };
      const request = { ...given, ...wayOf(given, context), headers, maxRedirects: 0 };
      const response = await exchange(
        text === undefined ? withoutBody(request) : { ...request, body: Buffer.from(text) },
        deps,
      );
      return toResult(response, given);
    },
  };
}

/** What the exchange needs to know of the action beyond its arguments. */
function wayOf({ url, headers }: Pick<HttpGetArgs, "url" | "headers">, context: ToolContext) {
  const { signal, sealedArgs } = context;
  const sealed = sealedArgs === undefined ? headers : shared.headers.parse(sealedArgs["headers"]);
  const secretHeaders = new Set(Object.keys(headers).filter((name) => headers[name] !== sealed[name]));
  const requireFurther = (resource: string): void => context.requireFurther(resource);
  const requireTime = (): void => context.requireTime();
  return { url: parseUrl(url), secretHeaders, requireFurther, requireTime, signal };
}

function withoutBody<Value extends { readonly body?: unknown }>(request: Value): Omit<Value, "body"> {
  const { body: _text, ...rest } = request;
  return rest;
}

function resolveCall(given: HttpGetArgs | HttpRequestArgs, deps: ExchangeDeps): ResolvedAction {
  const url = parseUrl(given.url);
  requireAllowedHost(url, deps.allowedHosts);
  requireAddress(url, deps);
  const resource = resourceOfUrl(url);
  return {
    resource,
    args: { ...given, url: url.href, headers: normalizeHeaders(given.headers) },
    summary: `${given.method} ${resource}`,
  };
}

/** A literal address can be judged before anything is resolved; names are judged when their addresses are known. */
function requireAddress(url: URL, deps: ExchangeDeps): void {
  const address = hostOf(url).replace(/^\[|\]$/g, "");
  const problem = isIP(address) === 0 ? undefined : findAddressProblem({ address, port: portOf(url) }, deps);
  if (problem === undefined) return;
  throw new HomeostatError("ACTION_DENIED", `${url.host} is refused: ${problem}`, {
    host: url.host,
    reason: "ADDRESS_REFUSED",
  });
}

function normalizeHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const normal: Record<string, string> = {};
  for (const [given, value] of Object.entries(headers)) {
    const name = given.toLowerCase();
    const problem = headerProblem(name, value) ?? (name in normal ? "is given twice" : undefined);
    if (problem !== undefined)
      throw new HomeostatError("ACTION_INVALID", `Header ${JSON.stringify(given)} ${problem}`);
    normal[name] = value;
  }
  return normal;
}

function headerProblem(name: string, value: string): string | undefined {
  if (refusedHeaders.has(name)) return "is set by the connection itself";
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return undefined;
  } catch {
    return "is not a valid header (RFC 9110 section 5)";
  }
}

function toResult(response: ExchangeResponse, given: HttpGetArgs | HttpRequestArgs): ToolResult {
  const { status, headers, body, url, redirects } = response;
  if (status >= 400 && !given.allowErrorStatus) throw statusError(response, given.method);
  // After a change the answer is told in whatever form it has: an error would say that nothing was done.
  const isChange = given.method !== "GET" && given.method !== "HEAD";
  const decoded = decodeBody(
    body,
    headers["content-type"],
    isChange && given.as === "json" ? "auto" : given.as,
  );
  return {
    output: { status, url: url.href, redirects, headers, ...decoded, sizeBytes: body.length },
    labels: ["web"],
    touchedFiles: false,
  };
}

/** 429 and 503 say that nothing was done; other faults of a server, or of what is before it, leave a change in doubt. */
function statusError({ status, url, body }: ExchangeResponse, method: string): HomeostatError {
  const didNotHappen = status === 429 || status === 503 || (status < 500 && status !== 408);
  return new HomeostatError("HTTP_FAILED", `${method} ${url.host} answered ${status}`, {
    host: url.host,
    status,
    body: body.subarray(0, 2_000).toString("utf8"),
    transient: status === 408 || status === 429 || status >= 500,
    didNotHappen,
  });
}
