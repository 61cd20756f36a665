/** What a person wrote about a secret, turned into what the server takes; says what is missing. Pure. */
import type { SecretContent, SecretUse } from "../api/operations-calls.ts";

export type SourceKind = "store" | "vault" | "environment" | "file";

/** What stands in the fields, also while it is not right yet. */
export interface ContentFields {
  readonly source: SourceKind;
  readonly value: string;
  /** Path in Vault, or the name of the variable or file. */
  readonly place: string;
  readonly field: string;
}

export const emptyContent: ContentFields = { source: "store", value: "", place: "", field: "" };

/** What is looked for in arguments and outputs must be long enough not to be found by chance. */
const leastLength = 8;

/** Why the content cannot be sent yet; null when it can. */
export function contentFault({ source, value, place, field }: ContentFields): string | null {
  switch (source) {
    case "store":
      return value.length < leastLength ? `The value needs at least ${leastLength} characters.` : null;
    case "vault":
      return place.trim() === "" || field.trim() === "" ? "Vault needs a path and a field." : null;
    case "environment":
      return /^[A-Z][A-Z0-9_]*$/.test(place.trim())
        ? null
        : "The name is of capital letters, digits and _, without HOMEOSTAT_SECRET_.";
    case "file":
      return place.trim() === "" ? "The file needs a name." : null;
  }
}

/** Only for fields without a fault. */
export function contentOf({ source, value, place, field }: ContentFields): SecretContent {
  const name = place.trim();
  switch (source) {
    case "store":
      return { value };
    case "vault":
      return { reference: { kind: "vault", path: name, field: field.trim() } };
    case "environment":
      return { reference: { kind: "environment", name } };
    case "file":
      return { reference: { kind: "file", name } };
  }
}

/** The grants that are whole, and whether half-written ones are left. */
export function usesOf(rows: readonly SecretUse[]): { readonly uses: SecretUse[]; readonly isHalf: boolean } {
  const trimmed = rows.map(({ action, resource }) => ({ action: action.trim(), resource: resource.trim() }));
  const uses = trimmed.filter(({ action, resource }) => action !== "" && resource !== "");
  const begun = trimmed.filter(({ action, resource }) => action !== "" || resource !== "");
  return { uses, isHalf: begun.length > uses.length };
}

/** A file that ends with a line break holds a value that does not. */
export function withoutLastLineBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}

const nameForm = /^[a-z][a-z0-9_-]{0,63}$/;

export function nameFault(name: string): string | null {
  return nameForm.test(name)
    ? null
    : "The name has small letters, digits, - and _, begins with a letter and has at most 64 signs.";
}
