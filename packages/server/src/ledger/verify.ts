/** Checks a whole ledger folder: every byte of every file is covered by a hash, a signature, an HMAC or a strict form. */
import { readFileSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { parseVerifierKey, verifyCheckpoint } from "./checkpoint.ts";
import type { Checkpoint, VerifierKey } from "./checkpoint.ts";
import { createFindings } from "./findings.ts";
import type { Check, Finding, Findings } from "./findings.ts";
import { hashToHex } from "./merkle.ts";
import { checkpointPath } from "./recover.ts";
import { verifyFiles } from "./verify-files.ts";
import { verifyKeys } from "./verify-keys.ts";
import type { VerifyLedgerOptions } from "./verify-options.ts";
import { verifySegments } from "./verify-segments.ts";

export interface LedgerVerification {
  /** Of the signed checkpoint; 0 and empty when there is none that holds. */
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
  readonly checks: readonly Check[];
  /** Empty when everything is as it was written. */
  readonly findings: readonly Finding[];
  readonly durationMs: number;
}

/**
 * Reads the checkpoint first and then what it covers, so it may run beside a writer. Bytes after the signed size are an append
 * under way, or one that a crash cut short; they are counted, not judged. One thread, 400,000 entries/s and more, with
 * pauses for other work. Throws only when the folder cannot be read at all.
 */
export async function verifyLedger(options: VerifyLedgerOptions): Promise<LedgerVerification> {
  const startMs = systemClock.monotonic();
  const findings = createFindings();
  const keys = verifyKeys(options, findings);
  const signed = checkSignature(options, keys.verifier, findings);
  const size = signed?.size ?? 0;
  if (options.knownSize !== undefined) checkRollback(options.knownSize, signed, findings);
  const { tiles } = await verifySegments(options, { signed, keys, findings });
  verifyFiles(options.ledgerFolder, { size, tiles, findings });
  return {
    size,
    root: signed === undefined ? "" : hashToHex(signed.root),
    checks: findings.checks,
    findings: findings.findings,
    durationMs: systemClock.monotonic() - startMs,
  };
}

function checkSignature(
  { ledgerFolder, verifierKey }: VerifyLedgerOptions,
  ownKey: VerifierKey | undefined,
  findings: Findings,
): Checkpoint | undefined {
  const check = findings.check("checkpoint signature");
  const key = verifierKey === undefined ? ownKey : parseVerifierKey(verifierKey);
  const where = "checkpoint";
  let note: string;
  try {
    note = readFileSync(checkpointPath(ledgerFolder), "utf8");
  } catch (error) {
    check.found({ what: "checkpoint missing", where, detail: (error as Error).message });
    return undefined;
  }
  if (key === undefined) {
    check.found({ what: "checkpoint not verifiable", where, detail: "there is no usable verifier key" });
    return undefined;
  }
  check.add(1);
  const result = verifyCheckpoint(note, key);
  if (result.kind === "refused") {
    check.found({ what: "checkpoint changed", where, detail: result.why });
    return undefined;
  }
  return result.checkpoint;
}

function checkRollback(knownSize: number, signed: Checkpoint | undefined, findings: Findings): void {
  const check = findings.check("nothing rolled back");
  check.add(1);
  if (signed === undefined || signed.size >= knownSize) return;
  const detail = `the database knows ${knownSize} entries to be published, the checkpoint covers ${signed.size}`;
  check.found({ what: "ledger rolled back", where: "checkpoint", detail });
}
