/** A file that proves some entries to anybody who knows the public key: signed checkpoint, entries, inclusion proofs. */
import { canonicalJson } from "../base/canonical-json.ts";
import type { JsonObject } from "../base/canonical-json.ts";
import { errorMessage } from "../base/error.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { parseVerifierKey, verifyCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { parseEntry } from "./entry.ts";
import { createFindings } from "./findings.ts";
import type { Check, Finding, OpenCheck } from "./findings.ts";
import { createHasher, hashFromHex, hashToHex, isIncluded } from "./merkle.ts";
import { proveInclusion } from "./proof.ts";
import type { LedgerReader } from "./reader.ts";

export interface BundledEntry {
  readonly index: number;
  readonly entry: LedgerEntry;
  /** Inclusion proof in the tree of the checkpoint, 64 hex digits each, lowest first. */
  readonly proof: readonly string[];
}

export interface LedgerBundle {
  readonly kind: "homeostat.ledger-bundle";
  readonly version: 1;
  /** C2SP signed note. */
  readonly checkpoint: string;
  /** For convenience; the verifier uses the key it knows from elsewhere. */
  readonly verifierKey: string;
  readonly entries: readonly BundledEntry[];
}

export type BundleSelection =
  | { readonly kind: "range"; readonly from: number; readonly to: number }
  | { readonly kind: "run"; readonly runId: string };

export interface BundleVerification {
  readonly size: number;
  /** 64 hex digits; empty when the checkpoint does not hold. */
  readonly root: string;
  readonly checks: readonly Check[];
  readonly findings: readonly Finding[];
}

/**
 * Collects the entries under the newest checkpoint. A range is cut at its size; a run is looked for in the whole ledger, about
 * 1,000,000 entries/s. Throws LEDGER_BROKEN.
 */
export async function exportBundle(reader: LedgerReader, selection: BundleSelection): Promise<LedgerBundle> {
  const { size, note, verifierKey } = reader.head();
  const to = selection.kind === "range" ? Math.min(selection.to, size) : size;
  let from = selection.kind === "range" ? selection.from : 0;
  const needle = selection.kind === "run" ? `,"id":${JSON.stringify(selection.runId)},"seq":` : "";
  const entries: BundledEntry[] = [];
  for (; from < to; from += pageEntries) {
    const page = await reader.entries(from, Math.min(from + pageEntries, to));
    for (const [position, bytes] of page.entries()) {
      if (!bytes.includes(needle)) continue;
      const entry = parseEntry(bytes);
      if (selection.kind === "run" && entry.run?.id !== selection.runId) continue;
      const index = from + position;
      entries.push({ index, entry, proof: await proveInclusion({ reader, signedSize: size }, index, size) });
    }
  }
  return { kind: "homeostat.ledger-bundle", version: 1, checkpoint: note, verifierKey, entries };
}

/** Needs nothing but the bundle and the public key. Never throws: what is wrong with `bundle` is a finding. */
export function verifyBundle(bundle: unknown, verifierKey: string): BundleVerification {
  const collected = createFindings();
  const signature = collected.check("checkpoint signature");
  const inclusion = collected.check("entries");
  const parsed = asBundle(bundle);
  let signed: Checkpoint | undefined;
  if (parsed === undefined) {
    signature.found({
      what: "bundle unreadable",
      where: "bundle",
      detail: "it is not a ledger bundle of version 1",
    });
  } else {
    signed = checkSignature(signature, parsed.checkpoint, verifierKey);
    if (signed !== undefined) for (const item of parsed.entries) checkEntry(inclusion, signed, item);
  }
  return {
    size: signed?.size ?? 0,
    root: signed === undefined ? "" : hashToHex(signed.root),
    checks: collected.checks,
    findings: collected.findings,
  };
}

const pageEntries = 2000;

function checkSignature(check: OpenCheck, note: string, verifierKey: string): Checkpoint | undefined {
  const key = parseVerifierKey(verifierKey.trim());
  if (key === undefined) {
    check.found({
      what: "verifier key unusable",
      where: "the given key",
      detail: "it is no C2SP verifier key",
    });
    return undefined;
  }
  check.add(1);
  const result = verifyCheckpoint(note, key);
  if (result.kind === "signed") return result.checkpoint;
  check.found({ what: "checkpoint changed", where: "checkpoint", detail: result.why });
  return undefined;
}

function checkEntry(check: OpenCheck, { size, root }: Checkpoint, item: unknown): void {
  const hasher = createHasher();
  const { index, entry, proof } = (item ?? {}) as { index?: unknown; entry?: unknown; proof?: unknown };
  const where = `entry ${String(index)}`;
  check.add(1);
  const hashes = Array.isArray(proof)
    ? proof.map((hash) => (typeof hash === "string" ? hashFromHex(hash) : undefined))
    : [undefined];
  if (typeof index !== "number" || !hashes.every((hash) => hash !== undefined)) {
    return check.found({
      what: "entry unreadable",
      where,
      detail: "index or proof is not of the right form",
    });
  }
  try {
    const bytes = Buffer.from(canonicalJson(entry as JsonObject));
    parseEntry(bytes);
    const leaf = hasher.leaf(bytes, 0, bytes.length);
    if (isIncluded(hasher, { index, size, leaf, root, proof: hashes })) return;
    check.found({
      what: "entry not in the ledger",
      where,
      detail: "its proof does not lead to the signed root",
    });
  } catch (error) {
    check.found({ what: "entry invalid", where, detail: errorMessage(error) });
  }
}

function asBundle(
  value: unknown,
): { readonly checkpoint: string; readonly entries: readonly unknown[] } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, version, checkpoint, entries } = value as Partial<Record<keyof LedgerBundle, unknown>>;
  if (kind !== "homeostat.ledger-bundle" || version !== 1) return undefined;
  return typeof checkpoint === "string" && Array.isArray(entries) ? { checkpoint, entries } : undefined;
}
