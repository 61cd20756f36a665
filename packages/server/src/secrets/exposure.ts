/** Finds the values of secrets in what goes out or is recorded, also in the encodings in which they usually travel. Pure. */
import type { JsonValue } from "../base/canonical-json.ts";
import { alignedBase32, alignedBase64, createDisguiseSearch, disguisesOf, strip } from "./disguise.ts";

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

/** `find` costs one pass over the strings, whatever the number of secrets, and one native search for each short form. */
export function createExposures(secrets: readonly KnownSecret[]): Exposures {
  const secretsOf = new Map<string, KnownSecret>();
  const ofValue = new Map(secrets.map((secret) => [secret.value, secret]));
  const others: string[] = [];
  for (const [value, secret] of ofValue) {
    const disguises = new Set(disguisesOf(value));
    for (const form of formsOf(value)) {
      secretsOf.set(form, secret);
      // What has letters and digits enough is found between other signs too, and need not be looked for once more.
      if (!disguises.has(strip(form))) others.push(form);
    }
  }
  const literals = [...secretsOf.keys()];
  const findDisguised = createDisguiseSearch([...ofValue.keys()]);
  return {
    literals,
    find(given) {
      const texts = [...textsOf(given)];
      const found = new Set<KnownSecret>();
      for (const value of findDisguised(texts)) found.add(ofValue.get(value)!);
      for (const text of texts) {
        for (const literal of others) if (text.includes(literal)) found.add(secretsOf.get(literal)!);
      }
      return [...found];
    },
  };
}

/**
 * The value as it is, in JSON, in HTML, percent-encoded (where needed, or every byte), in hex (bare, or with blanks, colons or
 * `\\x`), reversed, and in base64 and base32 at each of the places a byte can begin at: what redactors mask.
 */
export function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].map((offset) => alignedBase64(bytes, offset));
  const hex = bytes.toString("hex");
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    value.isWellFormed() ? encodeURIComponent(value) : value,
    ...[hex, hex.toUpperCase()],
    ...["%$&", "\\x$&", "$&:", "$& "].flatMap((form) => [
      separated(hex, form),
      separated(hex.toUpperCase(), form),
    ]),
    value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
    [...value].toReversed().join(""),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    ...[0, 1, 2, 3, 4].map((offset) => alignedBase32(bytes, offset)),
  ];
  return [...new Set(forms)].filter((form) => form.length >= shortestSecret);
}

/** Two digits after the other; the last has no sign behind it. */
function separated(hex: string, form: string): string {
  return hex.replaceAll(/../g, form).replace(/[: ]$/, "");
}

function* textsOf(value: JsonValue): Generator<string> {
  if (typeof value === "string") yield value;
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (!Array.isArray(value)) yield name;
    yield* textsOf(member as JsonValue);
  }
}
