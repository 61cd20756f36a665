/** What a verification found: named checks, each right or not, and findings that say what is wrong and where. Pure. */

export interface Finding {
  readonly what: string;
  /** File, byte offset, block or entry: where to look. */
  readonly where: string;
  readonly detail: string;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** How many things were checked. */
  readonly count: number;
  readonly detail: string;
}

/** Collects findings under the check that made them. */
export interface Findings {
  /** Declares a check; it is right until something is found. */
  check(name: string): OpenCheck;
  readonly checks: readonly Check[];
  readonly findings: readonly Finding[];
}

export interface OpenCheck {
  add(count: number): void;
  found(finding: Finding): void;
  /** Added to the check's detail, for example why something could not be checked. Does not make it wrong. */
  note(detail: string): void;
}

/** Beyond this many a check only counts: a ledger with a million damaged entries needs no million lines. */
const maxFindingsPerCheck = 100;

export function createFindings(): Findings {
  const checks: { name: string; count: number; found: number; notes: string[] }[] = [];
  const findings: Finding[] = [];
  return {
    check(name) {
      const check = { name, count: 0, found: 0, notes: [] as string[] };
      checks.push(check);
      return {
        add(count) {
          check.count += count;
        },
        found(finding) {
          check.found += 1;
          if (check.found <= maxFindingsPerCheck) findings.push(finding);
        },
        note: (detail) => check.notes.push(detail),
      };
    },
    get checks() {
      return checks.map(({ name, count, found, notes }) => {
        const detail = found === 0 ? notes : [`${found} found`, ...notes];
        return { name, ok: found === 0, count, detail: detail.join("; ") };
      });
    },
    findings,
  };
}
