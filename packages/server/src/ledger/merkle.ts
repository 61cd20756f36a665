/** The Merkle tree of RFC 6962 section 2.1 (SHA-256): leaf and node hashes, appending, roots, proofs and their verifiers. Pure. */
import { hash } from "node:crypto";

/** 32 bytes as a latin1 text: Node hands out one-shot digests three times as fast in this form as in a Buffer (0.25 against 0.97 us). */
export type Hash = string;

/** Leaves `[from, to)` of the log; `from` is a multiple of the largest power of two below `to - from`, as in all RFC 6962 recursions. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** The root of the full subtree over leaves `[index * 2^height, (index + 1) * 2^height)`. */
export interface NodeId {
  readonly height: number;
  readonly index: number;
}

/** Root of the tree without leaves: the hash of nothing. */
export const emptyRoot: Hash = hash("sha256", "", "binary");

export interface Hasher {
  /** Hash of the leaf `bytes[start, end)`, at most 65,535 bytes. */
  readonly leaf: (bytes: Uint8Array, start: number, end: number) => Hash;
  readonly node: (left: Hash, right: Hash) => Hash;
}

/** Each hasher has its own scratch memory, so it serves one thread of control. */
export function createHasher(): Hasher {
  const leafInput = Buffer.alloc(1 + 65_535);
  const nodeInput = Buffer.alloc(65);
  nodeInput[0] = 1;
  return {
    leaf(bytes, start, end) {
      leafInput.set(bytes.subarray(start, end), 1);
      return hash("sha256", leafInput.subarray(0, 1 + end - start), "binary");
    },
    node(left, right) {
      nodeInput.write(left, 1, "latin1");
      nodeInput.write(right, 33, "latin1");
      return hash("sha256", nodeInput, "binary");
    },
  };
}

export function hashToHex(value: Hash): string {
  return Buffer.from(value, "latin1").toString("hex");
}

/** The hash of 64 lower-case hex digits, or undefined. */
export function hashFromHex(text: string): Hash | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, "hex").toString("latin1") : undefined;
}

/**
 * A tree that is only appended to, kept as the roots of its full subtrees (a compact range, RFC 9162 section 2.1.2). `onNode`
 * gets every full subtree's root as it is completed, lowest first, heights 1 and up.
 */
export interface CompactTree {
  readonly size: number;
  append(leaf: Hash): void;
  root(): Hash;
}

export interface CompactTreeOptions {
  readonly hasher: Hasher;
  /** Leaves that are already in, and the roots of their full subtrees, largest first. */
  readonly size: number;
  readonly peaks: readonly Hash[];
  readonly onNode?: (height: number, value: Hash) => void;
}

export function createCompactTree({ hasher, size, peaks, onNode }: CompactTreeOptions): CompactTree {
  const stack = [...peaks];
  let leaves = size;
  return {
    get size() {
      return leaves;
    },
    append(leaf) {
      let value = leaf;
      let height = 0;
      // Each one bit at the low end of the size is a finished subtree that the new leaf completes to one twice its size.
      for (let rest = leaves; rest % 2 === 1; rest = (rest - 1) / 2) {
        value = hasher.node(stack.pop() as Hash, value);
        height += 1;
        onNode?.(height, value);
      }
      stack.push(value);
      leaves += 1;
    },
    root: () => (stack.length === 0 ? emptyRoot : foldPeaks(hasher, stack)),
  };
}

/** The root over subtrees of falling size, given largest first; at least one. */
export function foldPeaks(hasher: Hasher, peaks: readonly Hash[]): Hash {
  let value = peaks[peaks.length - 1] as Hash;
  for (let i = peaks.length - 2; i >= 0; i -= 1) value = hasher.node(peaks[i] as Hash, value);
  return value;
}

/** The full subtrees that a range consists of, largest first. */
export function rangeNodes({ from, to }: LeafRange): readonly NodeId[] {
  const nodes: NodeId[] = [];
  let at = from;
  while (at < to) {
    const height = Math.floor(Math.log2(to - at));
    nodes.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return nodes;
}

/** The ranges whose roots prove that leaf `index` is in the tree of `size` leaves, lowest first (RFC 6962 section 2.1.1). */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  const ranges: LeafRange[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + largestPowerBelow(to - from);
    if (index < middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  return ranges.reverse();
}

/** The ranges whose roots prove that the tree of `first` leaves is a prefix of that of `second` (RFC 6962 section 2.1.2); 0 < first <= second. */
export function consistencyRanges(first: number, second: number): readonly LeafRange[] {
  const ranges: LeafRange[] = [];
  let from = 0;
  let to = second;
  // While the old tree is a whole left part seen from the start, its verifier already has that root.
  let known = true;
  while (first !== to) {
    const middle = from + largestPowerBelow(to - from);
    if (first <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
      known = false;
    }
  }
  if (!known) ranges.push({ from, to });
  return ranges.reverse();
}

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leaf: Hash;
  readonly root: Hash;
  readonly proof: readonly Hash[];
}

/** RFC 9162 section 2.1.3.2. False for an index outside the tree. */
export function isIncluded(hasher: Hasher, { index, size, leaf, root, proof }: InclusionClaim): boolean {
  if (!areSizes(index, size) || index >= size) return false;
  let position = index;
  let last = size - 1;
  let value = leaf;
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== 32) return false;
    if (position % 2 === 1 || position === last) {
      value = hasher.node(sibling, value);
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      value = hasher.node(value, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && value === root;
}

export interface ConsistencyClaim {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Hash;
  readonly secondRoot: Hash;
  readonly proof: readonly Hash[];
}

/** RFC 9162 section 2.1.4.2. The empty tree is refused: it is a prefix of everything and proves nothing. */
export function isConsistent(
  hasher: Hasher,
  { first, second, firstRoot, secondRoot, proof }: ConsistencyClaim,
): boolean {
  if (!areSizes(first, second) || first === 0 || first > second) return false;
  if (first === second) return proof.length === 0 && firstRoot === secondRoot;
  if (proof.length === 0 || proof.some((value) => value.length !== 32)) return false;
  const path = isPowerOfTwo(first) ? [firstRoot, ...proof] : proof;
  let position = first - 1;
  let last = second - 1;
  while (position % 2 === 1) {
    position = (position - 1) / 2;
    last = Math.floor(last / 2);
  }
  let firstValue = path[0] as Hash;
  let secondValue = firstValue;
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      firstValue = hasher.node(sibling, firstValue);
      secondValue = hasher.node(sibling, secondValue);
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      secondValue = hasher.node(secondValue, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && firstValue === firstRoot && secondValue === secondRoot;
}

/** The largest power of two smaller than `count`, which is at least 2. */
function largestPowerBelow(count: number): number {
  const power = 2 ** Math.floor(Math.log2(count));
  return power === count ? power / 2 : power;
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

function areSizes(...values: readonly number[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && value >= 0);
}
