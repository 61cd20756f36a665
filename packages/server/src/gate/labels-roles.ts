/** What an argument is for, when its tool does not say: inferred from the argument's name and its value. Pure. */
import type { JsonValue } from "../base/canonical-json.ts";
import type { ArgumentRole } from "../policy/rules/argument-origin.ts";

/** Argument name to role, as a tool declares it: for the argument and what lies inside, unless that has a role of its own. */
export type ArgumentRoles = Readonly<Record<string, ArgumentRole>>;

export interface ArgumentLeaf {
  readonly path: string;
  readonly role: ArgumentRole;
  readonly value: string | number | boolean | null;
}

/** More leaves than this are not looked at one by one; the rest is joined to one text. */
const maxLeaves = 256;

/** Every leaf of the arguments with its role. Names of members are leaves too when they look like values. */
export function leavesOf(args: JsonValue, declared: ArgumentRoles = {}): readonly ArgumentLeaf[] {
  const leaves: ArgumentLeaf[] = [];
  const rest: string[] = [];
  const visit = (value: JsonValue, path: string, name: string, around?: ArgumentRole): void => {
    // Names such as `constructor` are nobody's declaration.
    const role = Object.hasOwn(declared, name) ? declared[name] : around;
    if (Array.isArray(value)) {
      for (const [index, item] of (value as readonly JsonValue[]).entries())
        visit(item, `${path}[${index}]`, name, around);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value))
        visit(item as JsonValue, path === "" ? key : `${path}.${key}`, key, role);
    } else if (leaves.length < maxLeaves) {
      const leaf = value as ArgumentLeaf["value"];
      leaves.push({ path, role: role ?? inferRole(name, leaf), value: leaf });
    } else {
      rest.push(String(value));
    }
  };
  visit(args, "", "");
  if (rest.length > 0) leaves.push({ path: "...", role: "body", value: rest.join("\n") });
  return leaves;
}

/** By words of the name, most telling first; the value decides when the name says nothing. */
const byName: readonly (readonly [ArgumentRole, RegExp])[] = [
  ["credential", /^(password|passwd|passphrase|secret|token|credentials?|pin|apikey|otp)$/],
  ["payee", /^(payee|beneficiary|creditor|iban|bic|swift|wallet|payto)$/],
  ["command", /^(command|cmd|script|code|shell|sql|program|exec|statement|expression|eval|argv)$/],
  ["host", /^(url|uri|href|host|hostname|domain|endpoint|webhook|website|link|site|server|origin|callback|redirect)$/],
  ["path", /^(path|file|filename|filepath|folder|directory|dir|paths|files|destination|target|location)$/],
  ["date", /^(date|time|datetime|day|start|end|deadline|until|since|when|timestamp|year|month|checkin|checkout)$/],
  ["recipient", /^(to|cc|bcc|recipients?|receiver|addressee|attendees?|participants?|invitees?|guests?|members?|users?|username|emails?|mail|phone|contacts?|channels?|chat|room|group|audience|assignees?|owner|person|people|with)$/],
  ["account", /^(account|accounts|sender|debtor|card)$/],
  ["amount", /^(amount|price|sum|total|cost|value|money|quantity|qty|count|limit|balance|fee|rate|n|num|number|size|top|max|min|offset|page)$/],
  ["body", /^(body|content|contents|message|text|subject|title|description|note|notes|comment|summary|reason|memo|reply|caption|data|payload|markdown|html|json|headers|reference)$/],
  ["identifier", /^(id|ids|uuid|guid|key|slug|ref|name|hotel|restaurant|flight|product|item|company|event|ticket|order|booking|street|address|city|zip|country)$/],
]; // prettier-ignore

const wordPattern = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g;

export function wordsOfName(name: string): readonly string[] {
  return (name.slice(0, 200).match(wordPattern) ?? []).map((word) => word.toLowerCase());
}

export function inferRole(name: string, value: ArgumentLeaf["value"]): ArgumentRole {
  if (typeof value === "boolean" || value === null) return "option";
  const byValue = typeof value === "string" ? roleOfValue(value.trim()) : undefined;
  const named = roleOfName(name);
  // A value's own form is stronger than a vague name: `subject: https://...` stays a text, `name: a@b.c` is an address.
  if (
    byValue !== undefined &&
    (named === undefined || named === "identifier" || named === "option" || named === "amount")
  )
    return byValue;
  if (named !== undefined) return named;
  if (typeof value === "number") return "amount";
  return value.length > 80 || value.includes("\n") ? "body" : "identifier";
}

function roleOfName(name: string): ArgumentRole | undefined {
  const words = wordsOfName(name);
  // The last word says what a thing is: `file_url` is an address, `url_file` a file. `user_id` is who, not what.
  for (const word of words.toReversed()) {
    const found = byName.find(([, pattern]) => pattern.test(word))?.[0];
    if (found === undefined) continue;
    if (found !== "identifier" || words.length === 1) return found;
    const before = words.slice(0, -1).map((other) => byName.find(([, pattern]) => pattern.test(other))?.[0]);
    return before.find((role) => role === "recipient" || role === "account" || role === "path") ===
      "recipient"
      ? "recipient"
      : "identifier";
  }
  return undefined;
}

function roleOfValue(text: string): ArgumentRole | undefined {
  if (text.length > 500) return undefined;
  if (/^[^\s@]{1,64}@[^\s@]{1,200}\.[^\s@.]{2,24}$/.test(text)) return "recipient";
  if (/^[a-z][a-z0-9+.-]{1,15}:\/\/\S+$/i.test(text) || /^www\.\S+\.\S+$/i.test(text)) return "host";
  if (/^[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,9}$/i.test(text)) return "account";
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) return "date";
  if (/^(?:\.{0,2}\/|[A-Za-z]:\\)\S+$/.test(text)) return "path";
  return undefined;
}
