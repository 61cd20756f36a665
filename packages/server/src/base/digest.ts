/** SHA-256 as lower-case hex, the form in which digests appear in journal, ledger, API and files. */
import { hash, timingSafeEqual } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import type { JsonValue } from "./canonical-json.ts";

export function sha256(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}

/** Digest of a JSON value by its canonical form (RFC 8785). */
export function digestJson(value: JsonValue): string {
  return sha256(canonicalJson(value));
}

/** Salted commitment to a body: without the salt a short body cannot be guessed from the digest. `saltHex` is 32 hex digits. */
export function commit(saltHex: string, body: string): string {
  return sha256(`${saltHex}:${body}`);
}

/** Constant-time comparison of two secrets of any length. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
}
