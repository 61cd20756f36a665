/** Inclusion and consistency proofs from tiles and segments (RFC 6962), as hex for people and programs. */
import { HomeostatError } from "../base/error.ts";
import {
  consistencyRanges,
  createHasher,
  foldPeaks,
  hashToHex,
  inclusionRanges,
  rangeNodes,
} from "./merkle.ts";
import type { LeafRange } from "./merkle.ts";
import type { LedgerReader } from "./reader.ts";

/** `reader` as opened on the ledger folder; `signedSize` is the size of the newest checkpoint. */
export interface ProofSource {
  readonly reader: Pick<LedgerReader, "node">;
  readonly signedSize: number;
}

/** Proves that entry `index` is in the tree of `size` entries; 64 hex digits each, lowest first. Throws LEDGER_RANGE_INVALID. */
export async function proveInclusion(
  source: ProofSource,
  index: number,
  size: number,
): Promise<readonly string[]> {
  if (!isCount(size) || size > source.signedSize)
    throw outside(`there is no tree of ${size} entries`, source);
  if (!isCount(index) || index >= size)
    throw outside(`entry ${index} is not among the first ${size}`, source);
  return await rootsOf(source, inclusionRanges(index, size));
}

/** Proves that the tree of `from` entries is a prefix of that of `to`, 0 < from <= to. Throws LEDGER_RANGE_INVALID. */
export async function proveConsistency(
  source: ProofSource,
  from: number,
  to: number,
): Promise<readonly string[]> {
  if (!isCount(to) || to > source.signedSize) throw outside(`there is no tree of ${to} entries`, source);
  if (!isCount(from) || from < 1 || from > to) throw outside(`${from} is not from 1 to ${to}`, source);
  return await rootsOf(source, consistencyRanges(from, to));
}

async function rootsOf({ reader }: ProofSource, ranges: readonly LeafRange[]): Promise<readonly string[]> {
  const hasher = createHasher();
  return await Promise.all(
    ranges.map(async (range) => {
      const peaks = await Promise.all(rangeNodes(range).map((id) => reader.node(id)));
      return hashToHex(foldPeaks(hasher, peaks));
    }),
  );
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function outside(what: string, { signedSize }: ProofSource): HomeostatError {
  const text = `No such proof: ${what}; the newest checkpoint covers ${signedSize}`;
  return new HomeostatError("LEDGER_RANGE_INVALID", text, { signedSize });
}
