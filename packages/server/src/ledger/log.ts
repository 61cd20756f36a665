/** The open ledger: appends a block, syncs it, signs the new tree head, all synchronously. Runs in the log thread. */
import { writeFileDurably } from "../base/durable-file.ts";
import { createId, createSalt } from "../base/id.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { signCheckpoint } from "./checkpoint.ts";
import type { SigningKey } from "./checkpoint.ts";
import { frameEntries, splitPayload } from "./entry.ts";
import type { FramedEntries } from "./entry.ts";
import { unavailable } from "./ledger-error.ts";
import { createHasher, hashToHex } from "./merkle.ts";
import { checkpointPath, recoverLedger } from "./recover.ts";
import type { RecoverOptions, RecoveredLedger, Repairs } from "./recover.ts";
import { createSegmentWriter } from "./segment-writer.ts";
import type { TileTree } from "./tile.ts";

export interface LogOptions extends RecoverOptions {
  /** A segment that has reached this size is closed and the HMAC key advanced. */
  readonly segmentBytes: number;
}

/** The signed state of the tree after an append. */
export interface SignedHead {
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
  readonly checkpoint: string;
}

export interface Log {
  readonly head: SignedHead;
  readonly verifierKey: string;
  readonly repairs: Repairs;
  /**
   * Returns after the block and then a checkpoint over it are on disk. Throws the file system's error (disk full, failing disk)
   * or LEDGER_UNAVAILABLE when somebody else wrote to the segment; after any throw the log must be closed and opened anew.
   */
  append(entries: FramedEntries): SignedHead;
  close(): void;
}

/**
 * Recovers and opens the ledger. `nowMs` dates the entry `ledger.recovered`, which is appended when a torn block was cut off.
 * Throws as `recoverLedger` does.
 */
export function openLog(options: LogOptions, nowMs: number): Log {
  const recovered = recoverLedger(options);
  const log = createLog(options, recovered);
  const { torn } = recovered.repairs;
  if (torn === undefined) return log;
  try {
    log.append(frameEntries([recoveredEntry(torn, nowMs)]));
  } catch (error) {
    log.close();
    throw error;
  }
  return log;
}

function createLog(options: LogOptions, recovered: RecoveredLedger): Log {
  const { keys, tree } = recovered;
  const hasher = createHasher();
  const segments = createSegmentWriter(options, recovered);
  let head: SignedHead = { size: tree.size, root: hashToHex(tree.root()), checkpoint: recovered.checkpoint };
  let isUsable = true;
  return {
    get head() {
      return head;
    },
    verifierKey: keys.signing.verifierKey,
    repairs: recovered.repairs,
    append(entries) {
      if (!isUsable) throw unavailable("it was closed, or an append failed before");
      isUsable = false;
      segments.append(entries);
      const { payload } = entries;
      splitPayload(payload, (start, end) => tree.append(hasher.leaf(payload, start, end)));
      head = sign(options.ledgerFolder, keys.signing, tree);
      isUsable = true;
      return head;
    },
    close() {
      isUsable = false;
      segments.close();
    },
  };
}

function sign(ledgerFolder: string, key: SigningKey, tree: TileTree): SignedHead {
  const root = tree.root();
  const checkpoint = signCheckpoint({ origin: key.name, size: tree.size, root }, key);
  writeFileDurably(checkpointPath(ledgerFolder), checkpoint, 0o644);
  return { size: tree.size, root: hashToHex(root), checkpoint };
}

function recoveredEntry(torn: NonNullable<Repairs["torn"]>, nowMs: number): LedgerEntry {
  const id = createId("ent", nowMs);
  return {
    v: 1,
    key: `ledger/recovered/${id}`,
    at: new Date(nowMs).toISOString(),
    type: "ledger.recovered",
    tenant: "default",
    actor: { kind: "system", id: "ledger" },
    labels: [],
    salt: createSalt(),
    data: { ...torn },
  };
}
