/** Checks a ledger together with those that it continues: each is proved by itself, and named by the first entry of the next. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { errorMessage } from "../base/error.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import type { Check, Finding } from "./findings.ts";
import { findRestoration } from "./restoration.ts";
import type { Restoration } from "./restoration.ts";
import { verifyLedger } from "./verify.ts";
import type { LedgerVerification } from "./verify.ts";
import type { VerifyLedgerOptions } from "./verify-options.ts";

/** Which run event an entry proves, and of what type the entry is. */
export interface RunProof extends NonNullable<LedgerEntry["run"]> {
  readonly type: string;
}

export interface HistoryOptions extends Omit<VerifyLedgerOptions, "onEntry"> {
  /** Each earlier ledger in a folder named after the backup that ended it. */
  readonly earlierFolder: string;
  /** Entries from this index on may tell of what the database does not have: it is an older copy. Undefined: none may. */
  readonly databaseKnows?: number;
  /**
   * Called for the entries about runs, oldest ledger first, so that a later proof of an event counts instead of an earlier one.
   * `isLater`: it was written after the copy of the database was made, so the event need not be there.
   */
  readonly onProof: (proof: RunProof, isLater: boolean) => void;
}

export interface HistoryVerification extends LedgerVerification {
  /** The restores that lie behind this ledger, newest first. */
  readonly restorations: readonly Restoration[];
}

export async function verifyHistory(options: HistoryOptions): Promise<HistoryVerification> {
  const { earlierFolder, onProof, databaseKnows = Infinity, ...current } = options;
  const { restorations, broken } = await collectRestorations(current.ledgerFolder, earlierFolder);
  const checks: Check[] = [];
  const findings: Finding[] = [...broken];
  for (const restoration of restorations.toReversed()) {
    const earlier = await verifyEarlier(restoration, options);
    checks.push(earlier.check);
    findings.push(...earlier.findings);
  }
  const ledger = await verifyLedger({
    ...current,
    onEntry: (index, { run, type }) => {
      if (run !== undefined) onProof({ ...run, type }, index >= databaseKnows);
    },
  });
  return {
    ...ledger,
    checks: [...ledger.checks, ...checks],
    findings: [...ledger.findings, ...findings],
    restorations,
  };
}

/** Follows the first entries back. A ledger that cannot be read ends the walk; its own verification says what is wrong. */
async function collectRestorations(
  ledgerFolder: string,
  earlierFolder: string,
): Promise<{ readonly restorations: readonly Restoration[]; readonly broken: readonly Finding[] }> {
  const restorations: Restoration[] = [];
  const broken: Finding[] = [];
  let folder = ledgerFolder;
  for (;;) {
    const found = await findRestoration(folder).catch(() => undefined);
    if (found === undefined) return { restorations, broken };
    folder = join(earlierFolder, found.backup);
    const isCircle = restorations.some(({ backup }) => backup === found.backup);
    if (isCircle || !/^bak_[0-9a-f]{32}$/.test(found.backup) || !existsSync(folder)) {
      const where = `earlier-ledgers/${found.backup}`;
      const detail = "the first entry of the ledger after it names it, and it is not there";
      broken.push({ what: "earlier ledger missing", where, detail });
      return { restorations, broken };
    }
    restorations.push(found);
  }
}

async function verifyEarlier(
  restoration: Restoration,
  { earlierFolder, onProof, onlyContaining, onProgress }: HistoryOptions,
): Promise<{ readonly check: Check; readonly findings: readonly Finding[] }> {
  const { backup, verifierKey, size, root, published } = restoration;
  const place = `earlier-ledgers/${backup}`;
  const findings: Finding[] = [];
  try {
    const found = await verifyLedger({
      ledgerFolder: join(earlierFolder, backup),
      verifierKey,
      ...(onlyContaining === undefined ? {} : { onlyContaining }),
      ...(onProgress === undefined ? {} : { onProgress }),
      onEntry: (index, { run, type }) => {
        if (run !== undefined) onProof({ ...run, type }, index >= published);
      },
    });
    findings.push(...found.findings.map((each) => ({ ...each, where: `${place}/${each.where}` })));
    if (found.size !== size || found.root !== root) {
      const detail = `it ends with ${found.size} entries and root ${found.root}, the ledger after it names ${size} and ${root}`;
      findings.push({ what: "earlier ledger changed", where: place, detail });
    }
  } catch (error) {
    findings.push({ what: "earlier ledger unreadable", where: place, detail: errorMessage(error) });
  }
  const later = Math.max(0, size - published);
  const detail = `ended by the restore of the backup of ${restoration.backedUpAt}; ${later} entries are later than it`;
  return { check: { name: "earlier ledger", ok: findings.length === 0, count: size, detail }, findings };
}
