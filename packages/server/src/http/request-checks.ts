/** Pure checks of Host and Origin: a page on another site must not reach a server that listens on this machine. */
import { HomeostatError } from "../base/error.ts";

export interface OriginPolicy {
  /** Names (without port) besides loopback under which this server answers, lower case. */
  readonly allowedHosts: ReadonlySet<string>;
  /** Full origins (`https://homeostat.example.org`) the dashboard is published under. */
  readonly publicOrigins: ReadonlySet<string>;
}

export interface RequestFacts {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  readonly usesCookie: boolean;
}

/**
 * Throws REQUEST_FORBIDDEN unless the Host header names this server. DNS rebinding gives a foreign page our address under
 * its own name; the browser still sends that name as Host, so an allow-list of names ends it. Ports are free: a container
 * publishes ours under another one.
 */
export function requireKnownHost(host: string | undefined, policy: OriginPolicy): void {
  const name = host === undefined ? undefined : hostName(host);
  if (name !== undefined && (isLoopbackName(name) || policy.allowedHosts.has(name))) return;
  throw new HomeostatError(
    "REQUEST_FORBIDDEN",
    `The Host header names "${(host ?? "").slice(0, 100)}", which is not a name of this server`,
    {},
    { hint: "Call it as 127.0.0.1 or localhost, or list the name in http.allowedHosts of homeostat.yaml." },
  );
}

/**
 * Throws REQUEST_FORBIDDEN when a browser says the request comes from another site. Checked for everything that may change
 * state and everything authenticated by cookie. `same-site` is refused too: to a browser every port of 127.0.0.1 is one
 * site, so SameSite=Strict alone lets any local web server use the cookie.
 */
export function requireSameOrigin(request: RequestFacts, policy: OriginPolicy): void {
  const isSafe = request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS";
  if (isSafe && !request.usesCookie) return;
  const site = request.secFetchSite;
  if (request.origin !== undefined && !isOwnOrigin(request.origin, request.host, policy)) {
    throw foreign(`The request comes from the page of ${request.origin.slice(0, 100)}`);
  }
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    throw foreign(`The browser says the request comes from another site (${site.slice(0, 20)})`);
  }
  if (!isSafe && request.usesCookie && request.origin === undefined && site === undefined) {
    throw foreign("A session cookie came without Origin, so nothing shows which page sent it");
  }
}

/** True for names that can only mean this machine. */
export function isLoopbackName(name: string): boolean {
  return name === "localhost" || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The name in a Host header, lower case, without port or trailing dot; undefined when it is not a host at all. */
export function hostName(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?$/.exec(host.toLowerCase());
  return match?.[1]!.replace(/\.$/, "");
}

function isOwnOrigin(origin: string, host: string | undefined, policy: OriginPolicy): boolean {
  if (policy.publicOrigins.has(origin)) return true;
  const match = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase());
  return match !== null && match[1] === host?.toLowerCase();
}

function foreign(message: string): HomeostatError {
  return new HomeostatError(
    "REQUEST_FORBIDDEN",
    message,
    {},
    {
      hint: "Use the dashboard of this server, or list its published address in http.publicOrigins of homeostat.yaml.",
    },
  );
}
