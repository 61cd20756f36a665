/** What of a database's URL may be shown. Pure. */

/** `user@host:port/database`: without the password and without parameters, which may hold one too. */
export function placeOf(url: string): string {
  const parsed = URL.parse(url) ?? URL.parse(url.replace("@/", "@localhost/"));
  if (parsed === null) return "(a URL that cannot be read)";
  const host = parsed.searchParams.get("host") ?? parsed.hostname;
  const port = parsed.searchParams.get("port") ?? parsed.port;
  const user = parsed.searchParams.get("user") ?? decodedOrRaw(parsed.username);
  return `${user === "" ? "" : `${user}@`}${host}${port === "" ? "" : `:${port}`}${parsed.pathname}`;
}

function decodedOrRaw(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not encoded as it should be, which the driver will say.
  }
}
