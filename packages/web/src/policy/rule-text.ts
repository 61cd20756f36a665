/** One rule in a few words, from whatever fields it has besides its name, effect and line. */
import type { PolicyRule } from "../api/contract.ts";

/** With whatever fields later versions add. */
type Rule = Pick<PolicyRule, "name" | "effect" | "line"> & Readonly<Record<string, unknown>>;

const known: ReadonlySet<string> = new Set(["name", "effect", "line"]);

/** `description` alone when there is one; else `actions file_ops.delete; resources workspace/**`. */
export function describeRule(rule: Rule): string {
  const description = rule["description"];
  if (typeof description === "string" && description !== "") return description;
  return Object.entries(rule)
    .filter(([name, value]) => !known.has(name) && !isEmpty(value))
    .map(([name, value]) => `${name} ${wordsOf(value)}`)
    .join("; ");
}

function wordsOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(wordsOf).join(", ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .filter((entry) => !isEmpty(entry[1]))
      .map(([name, inner]) => `${name} ${wordsOf(inner)}`)
      .join(", ");
  }
  return String(value);
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
