/** Replaces secrets and personal data by typed marks, in texts and in whole values, in time linear in their size. */
import { createScanner, findSpans } from "./anchors.ts";
import { createLiteralSearch, usableLiterals } from "./literals.ts";
import type { LiteralSearch } from "./literals.ts";
import { replaceSpans } from "./marks.ts";
import type { Mark } from "./marks.ts";
import { redactValue } from "./redact-value.ts";

/** A mark is another neighbour than what it hides, so a text that changed is looked over again; two passes nearly always do. */
const maxPasses = 4;

export interface RedactorOptions {
  /**
   * Exact secrets to mask wherever they stand, for example registered tokens. Those under 6 characters are ignored. A function
   * is asked at each use; as long as it gives the same list, that costs nothing.
   */
  readonly secrets?: readonly string[] | (() => readonly string[]);
  /**
   * Only these marks are set, everything else stays; all by default. For records that must keep personal data but no
   * secret. What `secrets` names is masked in any case.
   */
  readonly marks?: readonly Mark[];
  /** Objects and lists nested deeper are replaced by "[TOO_DEEP]"; 32 by default. */
  readonly maxDepth?: number;
  /** Members and items beyond this count are replaced by "[TOO_LARGE]"; 100,000 by default. */
  readonly maxNodes?: number;
}

export interface Redactor {
  /** `s` with marks in place of what was found. Applying it again changes nothing. Never throws. */
  text(s: string): string;
  /**
   * A plain copy of `v`, redacted by member name first and by text then. Cycles become "[CIRCULAR]". Never throws: when
   * anything in `v` does (a getter, a proxy), the whole is dropped and "[REDACTION_FAILED]" returned.
   */
  value(v: unknown): unknown;
}

export function createRedactor(options: RedactorOptions = {}): Redactor {
  const scanner = createScanner();
  const wanted = options.marks && new Set(options.marks);
  const isWanted = (mark: Mark): boolean => wanted?.has(mark) ?? true;
  const findLiterals = createLiterals(options.secrets ?? []);
  const once = (s: string): string => {
    const spans = findSpans(s, scanner).filter(({ mark }) => isWanted(mark));
    for (const span of findLiterals()(s)) spans.push(span);
    return spans.length === 0 ? s : replaceSpans(s, spans);
  };
  const text = (s: string): string => {
    let before = s;
    let after = once(before);
    for (let pass = 1; after !== before && pass < maxPasses; pass += 1) {
      before = after;
      after = once(before);
    }
    return after;
  };
  const { maxDepth = 32, maxNodes = 100_000 } = options;
  return {
    text,
    value: (v) => {
      try {
        return redactValue(v, { text, isWanted, names: scanner.names, maxDepth, maxNodes });
      } catch {
        // A payload that cannot be looked through must not leave unredacted; what it threw may quote it.
        return "[REDACTION_FAILED]";
      }
    },
  };
}

/** Prepares the list once for as long as it is the same one. */
function createLiterals(secrets: NonNullable<RedactorOptions["secrets"]>): () => LiteralSearch {
  const current = typeof secrets === "function" ? secrets : (): readonly string[] => secrets;
  let prepared = current();
  let find = createLiteralSearch(usableLiterals(prepared));
  return () => {
    const latest = current();
    if (latest !== prepared) {
      prepared = latest;
      find = createLiteralSearch(usableLiterals(latest));
    }
    return find;
  };
}
