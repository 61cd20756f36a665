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

/** Every place of every literal, but not inside itself; those that lie inside a mark are left alone. */
export type LiteralSearch = (text: string) => Span[];

/** Signs that are looked at together, of the first six of each literal; the rest are compared where these are right. */
const blockLength = 3;
const blocks = 65_536;

/**
 * One pass over a text, whatever the number of literals: where no literal can end its first six signs, up to four are skipped
 * (Wu and Manber, "A fast algorithm for multi-pattern searching", TR-94-17, 1994).
 */
export function createLiteralSearch(literals: readonly string[]): LiteralSearch {
  if (literals.length === 0) return () => [];
  const shifts = new Uint8Array(blocks).fill(shortest - blockLength + 1);
  const candidates = new Map<number, string[]>();
  for (const literal of literals) {
    for (let end = blockLength - 1; end < shortest; end++) {
      const block = blockAt(literal, end);
      shifts[block] = Math.min(shifts[block]!, shortest - 1 - end);
    }
    const last = blockAt(literal, shortest - 1);
    const same = candidates.get(last) ?? [];
    same.push(literal);
    candidates.set(last, same);
  }
  return (text) => {
    const spans: Span[] = [];
    const ends = new Map<string, number>();
    for (let at = shortest - 1; at < text.length;) {
      const block = blockAt(text, at);
      const shift = shifts[block]!;
      at += shift;
      if (shift > 0) continue;
      const start = at - shortest + 1;
      for (const literal of candidates.get(block)!) {
        if (!text.startsWith(literal, start) || start < (ends.get(literal) ?? 0)) continue;
        const end = start + literal.length;
        ends.set(literal, end);
        if (!isInsideMark(text, start, end)) spans.push({ start, end, mark: tokenMark });
      }
      at++;
    }
    return spans;
  };
}

/** Different blocks may have the same number, which costs a comparison and nothing else. */
function blockAt(text: string, end: number): number {
  const first = text.charCodeAt(end - 2);
  return ((first * 961) ^ (text.charCodeAt(end - 1) * 31) ^ text.charCodeAt(end)) & (blocks - 1);
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
