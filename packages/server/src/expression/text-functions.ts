/** Functions of the language that work on text. Positions and lengths count Unicode code points. */
import type { JsonValue } from "../base/canonical-json.ts";
import { grow, readingSteps, searchingSteps, spend } from "./budget.ts";
import type { Budget } from "./budget.ts";
import { argument, callError, listArgument, stringArgument } from "./call.ts";
import type { Call, LanguageFunction } from "./call.ts";
import { findAll } from "./find-text.ts";
import { isList, toJsonText, toText } from "./values.ts";

export const textFunctions: Readonly<Record<string, LanguageFunction>> = {
  startsWith: {
    least: 2,
    most: 2,
    usage: "startsWith(text, start)",
    run: (call) => twoTexts(call, "startsWith"),
  },
  endsWith: { least: 2, most: 2, usage: "endsWith(text, end)", run: (call) => twoTexts(call, "endsWith") },
  lower: {
    least: 1,
    most: 1,
    usage: "lower(text)",
    run: (call) => changed(call, (text) => text.toLowerCase()),
  },
  upper: {
    least: 1,
    most: 1,
    usage: "upper(text)",
    run: (call) => changed(call, (text) => text.toUpperCase()),
  },
  trim: { least: 1, most: 1, usage: "trim(text)", run: (call) => changed(call, (text) => text.trim()) },
  split: { least: 2, most: 2, usage: "split(text, separator)", run: split },
  join: { least: 1, most: 2, usage: "join(list, separator)", run: join },
  replace: { least: 3, most: 3, usage: "replace(text, part, by)", run: replace },
  format: { least: 1, most: 33, usage: 'format("{0} of {1}", a, b)', run: format },
  text: { least: 1, most: 1, usage: "text(value)", run: (call) => requireText(call, argument(call, 0)) },
  toJson: {
    least: 1,
    most: 1,
    usage: "toJson(value)",
    run: (call) => toJsonText(argument(call, 0), call.budget),
  },
  fromJson: { least: 1, most: 1, usage: "fromJson(text)", run: fromJson },
};

/** Code points of a text; costs its length. */
export function codePoints(text: string, budget: Budget): readonly string[] {
  spend(budget, text.length);
  return [...text];
}

function twoTexts(call: Call, method: "startsWith" | "endsWith"): boolean {
  const text = stringArgument(call, 0);
  const part = stringArgument(call, 1);
  spend(call.budget, readingSteps(part.length));
  return text[method](part);
}

function changed(call: Call, change: (text: string) => string): string {
  const result = change(stringArgument(call, 0));
  grow(call.budget, result.length);
  return result;
}

function split(call: Call): JsonValue {
  const text = stringArgument(call, 0);
  const separator = stringArgument(call, 1);
  if (separator === "") {
    grow(call.budget, 2 * text.length);
    return codePoints(text, call.budget);
  }
  spend(call.budget, searchingSteps(text.length + separator.length));
  const parts: string[] = [];
  let from = 0;
  for (const at of findAll(text, separator)) {
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  parts.push(text.slice(from));
  spend(call.budget, parts.length);
  grow(call.budget, text.length + parts.length);
  return parts;
}

function join(call: Call): string {
  const list = listArgument(call, 0);
  const separator = call.args.length > 1 ? stringArgument(call, 1) : ",";
  spend(call.budget, list.length);
  grow(call.budget, list.length * separator.length);
  const parts = list.map((item) => requireText(call, item));
  for (const part of parts) grow(call.budget, part.length);
  return parts.join(separator);
}

function replace(call: Call): string {
  const text = stringArgument(call, 0);
  const part = stringArgument(call, 1);
  const by = stringArgument(call, 2);
  if (part === "") throw callError(call, "replace cannot look for an empty text");
  spend(call.budget, searchingSteps(text.length + part.length));
  const found = findAll(text, part);
  spend(call.budget, found.length);
  grow(call.budget, text.length + found.length * by.length);
  let result = "";
  let from = 0;
  for (const at of found) {
    result += text.slice(from, at) + by;
    from = at + part.length;
  }
  return result + text.slice(from);
}

const placeholderPattern = /\{\{|\}\}|\{(\d{1,2})\}|[{}]/g;

function format(call: Call): string {
  const text = stringArgument(call, 0);
  spend(call.budget, readingSteps(text.length));
  const result = text.replace(placeholderPattern, (mark: string, digits: string | undefined) => {
    spend(call.budget, 1);
    if (mark === "{{") return "{";
    if (mark === "}}") return "}";
    const position = digits === undefined ? call.args.length : Number(digits) + 1;
    if (position >= call.args.length) {
      throw callError(call, `format has nothing to put for ${mark}; a brace itself is written twice`);
    }
    const part = requireText(call, argument(call, position));
    grow(call.budget, part.length);
    return part;
  });
  grow(call.budget, result.length);
  return result;
}

function requireText(call: Call, value: JsonValue): string {
  const text = toText(value, call.budget);
  if (text === undefined)
    throw callError(call, `${call.name} cannot turn null into text; write \`value ?? ""\``);
  return text;
}

function fromJson(call: Call): JsonValue {
  const text = stringArgument(call, 0);
  spend(call.budget, text.length);
  grow(call.budget, text.length);
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    // The engine's own message quotes the text, which may hold private data, and differs between versions.
    throw callError(call, `fromJson got ${text.length} characters that are not JSON`);
  }
  return requirePlain(call, value);
}

/** JSON text can say more than the journal can keep: infinity (`1e999`), half a surrogate pair, `__proto__`. */
function requirePlain(call: Call, value: JsonValue): JsonValue {
  const pending: JsonValue[] = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next === "number" && !Number.isFinite(next))
      throw callError(call, "fromJson got a number too large");
    if (typeof next === "string" && !next.isWellFormed())
      throw callError(call, "fromJson got half a surrogate pair");
    if (typeof next !== "object" || next === null) continue;
    if (Object.hasOwn(next, "__proto__")) throw callError(call, "fromJson got a member `__proto__`");
    if (!isList(next)) for (const key of Object.keys(next)) pending.push(key);
    for (const item of Object.values(next)) pending.push(item!);
  }
  return value;
}
