/** The shape of one ledger entry, schema version 1. Bodies stay outside: the ledger holds digests and salted commitments. */
import type { JsonObject } from "./canonical-json.ts";

/** Who did it. `system` acts for nobody (recovery, retention). */
export interface Actor {
  readonly kind: "user" | "agent" | "system";
  /** Stable id, for example `admin` or `workflow:brand-audit`; never an address or a name of a person. */
  readonly id: string;
}

export interface LedgerEntry {
  readonly v: 1;
  /** Unique per fact: the outbox key. The publisher drops a repeat after a crash. */
  readonly key: string;
  /** ISO 8601 with milliseconds, UTC. */
  readonly at: string;
  /** Noun and past verb, for example `run.created`, `artifact_created`, `policy.activated`. */
  readonly type: string;
  readonly tenant: string;
  readonly actor: Actor;
  /** The configured supervisor's id, once supervision is activated. */
  readonly supervisor?: string;
  readonly labels: readonly string[];
  /** For journal events: which one, and the run's head digest after it. */
  readonly run?: { readonly id: string; readonly seq: number; readonly digest: string };
  /** Salt of the commitments in `data`, 32 hex digits. */
  readonly salt: string;
  /** Digest and place of a body kept outside. */
  readonly blob?: { readonly subject: string; readonly sha256: string; readonly sizeBytes: number };
  /** Small public facts; personal data only as `commit(salt, value)`. */
  readonly data: JsonObject;
}
