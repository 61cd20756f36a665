/** Finds the values of secrets in what goes out or is recorded, also in the encodings in which they usually travel. Pure. */
import type { JsonValue } from "../base/canonical-json.ts";

/** Shorter values would be found in ordinary words, and could be guessed from what was masked. */
export const shortestSecret = 8;

/** A secret's value with whose it is, which is what is reported. */
export interface KnownSecret {
  readonly tenant: string;
  readonly name: string;
  readonly value: string;
}

export interface Exposures {
  /** The secrets whose value stands in a string of `value`, member names included; one for each text that was found. */
  find(value: JsonValue): readonly Pick<KnownSecret, "tenant" | "name">[];
  /** Every text that is looked for, for redactors. The same list as long as nothing changed. */
  readonly literals: readonly string[];
}

/** Cost of `find`: one native search per literal and string. */
export function createExposures(secrets: readonly KnownSecret[]): Exposures {
  const secretOf = new Map<string, KnownSecret>();
  for (const secret of secrets) for (const form of formsOf(secret.value)) secretOf.set(form, secret);
  const literals = [...secretOf.keys()];
  return {
    literals,
    find(value) {
      const found = new Set<KnownSecret>();
      for (const text of textsOf(value)) {
        for (const literal of literals) if (text.includes(literal)) found.add(secretOf.get(literal)!);
      }
      return [...found];
    },
  };
}

/**
 * The value as it is, in JSON, in HTML, percent-encoded (where needed, or every byte), in hex and in base64 at each of the three
 * places a byte can begin at.
 */
export function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].map((offset) => alignedBase64(bytes, offset));
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    value.isWellFormed() ? encodeURIComponent(value) : value,
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    percentAll(bytes),
    percentAll(bytes).toUpperCase(),
    value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ];
  return [...new Set(forms)].filter((form) => form.length >= shortestSecret);
}

function percentAll(bytes: Buffer): string {
  return bytes.toString("hex").replaceAll(/../g, "%$&");
}

/** What base64 of the bytes looks like in the middle of something longer: RFC 4648 codes 3 bytes in 4 characters. */
function alignedBase64(bytes: Buffer, offset: number): string {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  const first = Math.ceil((offset * 8) / 6);
  // The last character depends on what follows unless the bytes fill it.
  const last = Math.floor((padded.length * 8) / 6);
  return padded.toString("base64").slice(first, last);
}

function* textsOf(value: JsonValue): Generator<string> {
  if (typeof value === "string") yield value;
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (!Array.isArray(value)) yield name;
    yield* textsOf(member as JsonValue);
  }
}
