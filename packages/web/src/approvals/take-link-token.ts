/** Takes the token out of a link to a question. It stands in the fragment, which no server and no mail scanner gets to see. */

interface Address {
  readonly hash: string;
  readonly pathname: string;
  readonly search: string;
}

interface Memory {
  replaceState(data: unknown, unused: string, url: string): void;
}

/** The token of `/answer#hsl_...`, or null. Afterwards neither the address bar nor the history holds it. */
export function takeLinkToken(address: Address, history: Memory): string | null {
  const token = address.hash.replace(/^#/, "");
  if (token === "") return null;
  history.replaceState(null, "", address.pathname + address.search);
  return token;
}
