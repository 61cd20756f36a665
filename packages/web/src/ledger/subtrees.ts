/** The perfect subtrees a Merkle tree of a given size is made of (RFC 6962 section 2.1): one for each 1 in its binary form. */

export interface Subtree {
  /** Leaves below it: a power of two. */
  readonly leaves: number;
  /** Levels above the leaves. */
  readonly height: number;
  /** First leaf, 0-based. */
  readonly from: number;
}

/** Largest first, as they stand from left to right. `size` below 2^53. */
export function subtreesOf(size: number): Subtree[] {
  const subtrees: Subtree[] = [];
  let from = 0;
  let rest = size;
  while (rest > 0) {
    const height = Math.floor(Math.log2(rest));
    // log2 of a number just below a power of two can round up to it.
    const leaves = 2 ** height > rest ? 2 ** (height - 1) : 2 ** height;
    subtrees.push({ leaves, height: Math.round(Math.log2(leaves)), from });
    from += leaves;
    rest -= leaves;
  }
  return subtrees;
}
