/** Takes the token out of a sign-in link. The fragment never reaches the server; here it leaves the address bar too. */

interface Address {
  readonly hash: string;
  readonly pathname: string;
  readonly search: string;
}

interface Memory {
  replaceState(data: unknown, unused: string, url: string): void;
}

/** The token of `#token=...`, or null. The address afterwards has no fragment, and no history entry keeps it. */
export function takeTokenFromAddress(address: Address, history: Memory): string | null {
  const token = new URLSearchParams(address.hash.replace(/^#/, "")).get("token");
  if (token === null || token === "") return null;
  history.replaceState(null, "", address.pathname + address.search);
  return token;
}
