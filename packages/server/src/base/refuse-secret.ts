/** Free text that people and programs send along is kept for good, so it may hold no key, token or password. */
import { HomeostatError } from "./error.ts";

/** True for a text that holds one. */
export type HoldsSecret = (text: string) => boolean;

/**
 * `what` begins the sentence that the caller reads ("The reason"); `path` is where it stood in the request. Throws REQUEST_INVALID,
 * which repeats nothing of the text.
 */
export function refuseSecret(
  holdsSecret: HoldsSecret,
  text: string | null,
  { what, path }: { readonly what: string; readonly path: string },
): void {
  if (text === null || !holdsSecret(text)) return;
  throw new HomeostatError(
    "REQUEST_INVALID",
    `${what} holds what looks like a secret (a key, token or password)`,
    {},
    {
      hint: "What is said here is kept for good. Leave the secret out, or name it by its handle: secret://NAME.",
      place: { path },
    },
  );
}
