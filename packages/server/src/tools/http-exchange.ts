/** One HTTP exchange over addresses that were checked before connecting, with redirects, size limit and decompression. */
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Transform } from "node:stream";
import { HomeostatError, errorMessage, isHomeostatError } from "../base/error.ts";
import { findAddressProblem } from "./http-address.ts";
import type { AddressRules } from "./http-address.ts";
import { hostOf, parseUrl, portOf, requireAllowedHost, resourceOfUrl } from "./http-hosts.ts";

export interface ExchangeDeps extends AddressRules {
  readonly allowedHosts: readonly string[];
  /** Every address of a name as IP literals; may be slow, may throw. */
  readonly resolveHost: (host: string) => Promise<readonly string[]>;
}

export interface ExchangeRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly maxBytes: number;
  /** Only for requests that change nothing: every address on the way is checked like the first. */
  readonly maxRedirects: number;
  /** Judges where a redirect leads before it is followed. Throws ACTION_DENIED. */
  readonly requireFurther: (resource: string) => void;
  /** Headers that hold secrets: granted for this resource alone. */
  readonly secretHeaders: ReadonlySet<string>;
  /** Called when the connection stands, before the first byte is sent. Throws when it is too late for that. */
  readonly requireTime: () => void;
  readonly signal: AbortSignal;
}

export interface ExchangeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Where the body came from in the end. */
  readonly url: URL;
  readonly redirects: readonly string[];
}

/** What may follow a request to another origin; everything else may be a credential. */
const harmlessHeaders: ReadonlySet<string> = new Set(["accept", "accept-language", "user-agent"]);

/**
 * Throws ACTION_DENIED for hosts and addresses that are not allowed, HTTP_TOO_LARGE, HTTP_FAILED. `data.didNotHappen` is
 * true when the other side cannot have seen the request; a transient failure of a change without it leaves doubt.
 */
export async function exchange(request: ExchangeRequest, deps: ExchangeDeps): Promise<ExchangeResponse> {
  const redirects: string[] = [];
  let { url, headers } = request;
  for (;;) {
    const answer = await exchangeOnce({ ...request, url, headers }, deps);
    const next = request.maxRedirects === 0 ? undefined : redirectTarget(answer, url);
    if (next === undefined) return { ...answer, url, redirects };
    if (redirects.length === request.maxRedirects) {
      throw new HomeostatError(
        "HTTP_FAILED",
        `${request.url.host} redirected more than ${request.maxRedirects} times`,
      );
    }
    if (url.protocol === "https:" && next.protocol === "http:") {
      throw new HomeostatError(
        "ACTION_DENIED",
        `${url.host} redirects from https to http; that is not followed`,
      );
    }
    // Policy knows resources, which have no query: where only that differs it has judged already.
    requireAllowedHost(next, deps.allowedHosts);
    if (resourceOfUrl(next) !== resourceOfUrl(request.url)) {
      request.requireFurther(resourceOfUrl(next));
      headers = withHeaders(headers, (name) => !request.secretHeaders.has(name));
    }
    if (next.origin !== url.origin) headers = withHeaders(headers, (name) => harmlessHeaders.has(name));
    redirects.push(next.href);
    url = next;
  }
}

function withHeaders(
  headers: ExchangeRequest["headers"],
  keeps: (name: string) => boolean,
): ExchangeRequest["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => keeps(name)));
}

type Answer = Pick<ExchangeResponse, "status" | "headers" | "body">;

async function exchangeOnce(request: ExchangeRequest, deps: ExchangeDeps): Promise<Answer> {
  requireAllowedHost(request.url, deps.allowedHosts);
  const state = { isConnected: false };
  try {
    const addresses = await findAddresses(request, deps);
    const response = await open(request, addresses, state);
    const body = await readBody(response, request);
    return { status: response.statusCode!, headers: plainHeaders(response), body };
  } catch (error) {
    throw exchangeError(error, request, state.isConnected);
  }
}

/** All addresses of the host, each permitted. One refused address refuses the host: a mixed answer is how rebinding looks. */
async function findAddresses(
  { url, signal }: ExchangeRequest,
  deps: ExchangeDeps,
): Promise<readonly string[]> {
  const host = hostOf(url).replace(/^\[|\]$/g, "");
  const addresses = isIP(host) === 0 ? await resolveName(host, signal, deps) : [host];
  for (const address of addresses) {
    const problem = findAddressProblem({ address, port: portOf(url) }, deps);
    if (problem === undefined) continue;
    throw new HomeostatError(
      "ACTION_DENIED",
      `${url.host} leads to ${address}: ${problem}`,
      { host: url.host, address, reason: "ADDRESS_REFUSED" },
      {
        hint: "Only public addresses may be called; name a private one with its port in tools.allowPrivate.",
      },
    );
  }
  return addresses;
}

async function resolveName(
  host: string,
  signal: AbortSignal,
  deps: ExchangeDeps,
): Promise<readonly string[]> {
  const addresses = await orAborted(() => deps.resolveHost(host), signal).catch((error: unknown) => {
    if (signal.aborted) throw signal.reason;
    const told = `The name ${host} could not be resolved: ${errorMessage(error)}`;
    throw new HomeostatError(
      "HTTP_FAILED",
      told,
      { host, transient: true, didNotHappen: true },
      { cause: error },
    );
  });
  if (addresses.length > 0) return addresses;
  const data = { host, transient: true, didNotHappen: true };
  throw new HomeostatError("HTTP_FAILED", `The name ${host} has no address`, data);
}

/** The system's resolver cannot be aborted and may take half a minute: its late answer is dropped. */
async function orAborted<Value>(work: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function open(
  request: ExchangeRequest,
  addresses: readonly string[],
  state: { isConnected: boolean },
): Promise<IncomingMessage> {
  const { url, body } = request;
  const isSecure = url.protocol === "https:";
  const options: RequestOptions = {
    method: request.method,
    hostname: hostOf(url).replace(/^\[|\]$/g, ""),
    port: portOf(url),
    path: url.pathname + url.search,
    headers: {
      "user-agent": "homeostat",
      ...request.headers,
      host: url.host,
      "accept-encoding": "gzip, deflate, br",
      ...(body === undefined ? {} : { "content-length": String(body.length) }),
    },
    // A connection of its own: a pooled one was opened to an address that was checked at another time.
    agent: false,
    lookup: answerWith(addresses),
    signal: request.signal,
  };
  return new Promise((resolve, reject) => {
    const outgoing = (isSecure ? requestSecure : requestPlain)(options);
    outgoing.once("socket", (socket) => {
      socket.once(isSecure ? "secureConnect" : "connect", () => {
        try {
          request.requireTime();
        } catch (error) {
          outgoing.destroy(tooLate(url, error));
          return;
        }
        state.isConnected = true;
        if (isSecure) outgoing.end(body);
      });
    });
    // What waits for a plain connection is written right after the listener above, with nothing to be done in between: a process
    // that is stopped there would send it on waking. TLS sends by itself what waits for it, so there it is written only then.
    if (!isSecure) outgoing.end(body);
    outgoing.once("response", resolve);
    // `on`: an aborted body reports its error a second time, which must not be unhandled.
    outgoing.on("error", reject);
  });
}

/** Name resolution that gives the checked addresses and asks nobody. */
function answerWith(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, all[0]!.address, all[0]!.family);
  };
}

async function readBody(response: IncomingMessage, request: ExchangeRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      sizeBytes += chunk.length;
      if (sizeBytes > request.maxBytes) throw tooLarge(request);
      chunks.push(chunk);
    }
  };
  const decoder = request.method === "HEAD" ? undefined : decoderFor(response.headers["content-encoding"]);
  // The limit counts what comes out of the decoder, so that a small archive of much is stopped too.
  if (decoder === undefined) await pipeline(response, collect);
  else await pipeline(response, decoder, collect);
  return Buffer.concat(chunks);
}

function decoderFor(encoding: string | undefined): Transform | undefined {
  switch (encoding?.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return undefined;
  }
}

function redirectTarget(answer: Answer, url: URL): URL | undefined {
  const { location } = answer.headers as { readonly location?: string };
  if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return undefined;
  return parseUrl(location, url);
}

/** Set-Cookie is left out: it is a credential, and nothing here keeps cookies. */
function plainHeaders(response: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value === undefined || name === "set-cookie") continue;
    headers[name] = (Array.isArray(value) ? value.join(", ") : value).toWellFormed();
  }
  return headers;
}

function exchangeError(error: unknown, request: ExchangeRequest, isConnected: boolean): unknown {
  const changesNothing = request.method === "GET" || request.method === "HEAD";
  const isDoubtful = isConnected && !changesNothing;
  if (isHomeostatError(error) && !isDoubtful) return error;
  if (request.signal.aborted && changesNothing) return request.signal.reason;
  const what = `${request.method} ${request.url.host}`;
  const told = isDoubtful
    ? `${what} was sent, but its answer was lost: ${errorMessage(error)}`
    : `${what} failed: ${errorMessage(error)}`;
  const code = (error as NodeJS.ErrnoException).code ?? null;
  return new HomeostatError(
    "HTTP_FAILED",
    told,
    {
      host: request.url.host,
      errno: code,
      transient: isDoubtful || !isLasting(code),
      didNotHappen: !isConnected,
    },
    { cause: error },
  );
}

/** Certificates and protocol faults do not heal by trying again. */
function isLasting(code: string | null): boolean {
  return code !== null && /CERT|SSL|TLS|HPE_|ERR_INVALID|Z_/.test(code);
}

function tooLate({ host }: URL, cause: unknown): HomeostatError {
  const told = `The connection to ${host} came when the time was over; nothing was sent`;
  return new HomeostatError("HTTP_FAILED", told, { host, transient: true, didNotHappen: true }, { cause });
}

function tooLarge(request: ExchangeRequest): HomeostatError {
  return new HomeostatError(
    "HTTP_TOO_LARGE",
    `The answer of ${request.url.host} has more than ${request.maxBytes} bytes`,
    { host: request.url.host, limitBytes: request.maxBytes },
  );
}
