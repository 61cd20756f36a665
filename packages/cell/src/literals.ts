/** Registered secrets, masked exactly and in the escapes in which JSON and URLs carry them. */
import { markLengthAt, tokenMark } from "./marks.ts";
import type { Span } from "./marks.ts";

/** Shorter strings would be found in ordinary words. */
const shortest = 6;

/** The secrets to look for, with their JSON and percent-encoded forms, longest first. */
export function usableLiterals(secrets: readonly string[]): readonly string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < shortest) continue;
    forms.add(secret);
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(percentEncoded(secret));
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

/** Every place of every literal; one native search per literal. Literals that lie inside a mark are left alone. */
export function findLiterals(text: string, literals: readonly string[]): Span[] {
  const spans: Span[] = [];
  for (const literal of literals) {
    for (
      let start = text.indexOf(literal);
      start !== -1;
      start = text.indexOf(literal, start + literal.length)
    ) {
      const end = start + literal.length;
      if (!isInsideMark(text, start, end)) spans.push({ start, end, mark: tokenMark });
    }
  }
  return spans;
}

/** The longest mark has 22 characters. */
function isInsideMark(text: string, start: number, end: number): boolean {
  const from = Math.max(0, start - 22);
  const open = text.slice(from, start + 1).lastIndexOf("[");
  return open !== -1 && from + open + markLengthAt(text, from + open) >= end;
}

/** RFC 3986 unreserved characters stay; UTF-8 for the rest. Lone surrogates cannot be encoded and are looked for as they are. */
function percentEncoded(secret: string): string {
  return secret.isWellFormed() ? encodeURIComponent(secret) : secret;
}
