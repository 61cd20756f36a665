/** What a verification of the ledger is asked to do. */
import type { LedgerEntry } from "../base/ledger-entry.ts";

export interface VerifyLedgerOptions {
  readonly ledgerFolder: string;
  /** With it the key files are checked and the HMACs of all blocks whose key is there. */
  readonly keysFolder?: string;
  /** The verifier key as known from elsewhere; then the ledger's own copy must agree. */
  readonly verifierKey?: string;
  /** Entries that the database knows to be published; fewer mean a rollback. */
  readonly knownSize?: number;
  /** Called about every 100,000 entries. Must not throw. */
  readonly onProgress?: (progress: { readonly entries: number; readonly size: number }) => void;
  /** Gets the entries below the signed size in order. Slows the pass to the speed of JSON.parse for the entries it gets. */
  readonly onEntry?: (index: number, entry: LedgerEntry) => void;
  /** Only entries whose bytes hold this text are given to `onEntry`, for example `"run":{` or a run's id. */
  readonly onlyContaining?: string;
}
