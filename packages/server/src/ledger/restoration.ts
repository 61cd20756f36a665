/** A restore ends one ledger and begins another, whose first entry names the old one's checkpoint: that entry, and reading it back. */
import { createId, createSalt } from "../base/id.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { parseEntry } from "./entry.ts";
import { createLedgerReader } from "./reader.ts";

const restoredType = "ledger.restored";

/** What a new ledger says about the one that it continues. */
export interface Restoration {
  /** The backup's id; the old ledger's files lie in a folder of this name. */
  readonly backup: string;
  /** ISO 8601: the moment that the restored database shows. */
  readonly backedUpAt: string;
  readonly verifierKey: string;
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
  /** Entries that the restored database knew; later ones may tell of what is not in it. */
  readonly published: number;
}

export function restorationEntry(restoration: Restoration, nowMs: number): LedgerEntry {
  return {
    v: 1,
    key: `ledger/restored/${createId("ent", nowMs)}`,
    at: new Date(nowMs).toISOString(),
    type: restoredType,
    tenant: "default",
    actor: { kind: "system", id: "restore" },
    labels: [],
    salt: createSalt(),
    data: { ...restoration },
  };
}

/** What the ledger's first entry says, or undefined when it began by itself. Throws LEDGER_BROKEN, LEDGER_KEYS_UNUSABLE. */
export async function findRestoration(ledgerFolder: string): Promise<Restoration | undefined> {
  const reader = createLedgerReader(ledgerFolder);
  if (reader.head().size === 0) return undefined;
  const [bytes] = await reader.entries(0, 1);
  // The reader throws for an entry that is not there.
  const entry = parseEntry(bytes!);
  return entry.type === restoredType ? (entry.data as unknown as Restoration) : undefined;
}
