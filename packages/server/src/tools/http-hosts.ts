/** The allow-list of hosts for the HTTP tools. Pure. */
import { HomeostatError } from "../base/error.ts";

/**
 * True when an entry names the URL's host and port: `example.org` (ports 80 for http, 443 for https),
 * `example.org:8443`, `*.example.org` (names below it, not itself), `*` (every host; private addresses stay refused).
 */
export function isAllowedHost(url: URL, allowedHosts: readonly string[]): boolean {
  const host = hostOf(url);
  const standardPort = url.protocol === "https:" ? 443 : 80;
  return allowedHosts.some((entry) => {
    if (entry === "*") return true;
    // An IPv6 literal ends in a bracket, so digits behind the last colon are always a port.
    const [, pattern = "", port] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase())!;
    if (portOf(url) !== Number(port ?? standardPort)) return false;
    return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
  });
}

/** Lower case, without the dot that may end a name, IPv6 in brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/\.$/, "");
}

export function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

/** `https://host:443/path`, what policy judges. The query stays in the arguments. */
export function resourceOfUrl(url: URL): string {
  return `${url.protocol}//${hostOf(url)}:${portOf(url)}${url.pathname}`;
}

/** An absolute http(s) URL without credentials and fragment, its path in one spelling. Throws ACTION_INVALID. */
export function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  const refuse = (why: string): HomeostatError =>
    // The text may hold a password: it is not repeated.
    new HomeostatError(
      "ACTION_INVALID",
      `The URL${url === null || url.host === "" ? "" : ` of ${url.host}`} is not taken: ${why}`,
    );
  if (url === null) throw refuse("it is not a URL");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw refuse(`${url.protocol} is not http or https`);
  if (url.username !== "" || url.password !== "") throw refuse("credentials belong into headers");
  url.hash = "";
  url.pathname = plainPath(url.pathname);
  return url;
}

/**
 * One spelling per path, for policy and for the call: `/%61dmin` is `/admin` to every server, and a rule about the one must speak of
 * the other. RFC 3986, 6.2.2: codes of unreserved characters are decoded, others written in capitals.
 */
function plainPath(path: string): string {
  return path.replaceAll(/%[0-9a-f]{2}/gi, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : code.toUpperCase();
  });
}

/** Throws ACTION_DENIED naming the key of homeostat.yaml that would allow the host. */
export function requireAllowedHost(url: URL, allowedHosts: readonly string[]): void {
  if (isAllowedHost(url, allowedHosts)) return;
  const host = `${hostOf(url)}:${portOf(url)}`;
  throw new HomeostatError(
    "ACTION_DENIED",
    `Host ${host} is not on the allow-list`,
    { host, reason: "HOST_NOT_ALLOWED" },
    { hint: `Add ${host} to tools.allowedHosts in homeostat.yaml.` },
  );
}
