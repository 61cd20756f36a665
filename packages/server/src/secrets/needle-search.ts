/**
 * Looks for many short texts at once in one pass over the letters and digits of others, whatever stands between them. Most
 * signs are skipped: what cannot end a needle moves on by up to six (Wu and Manber, "A fast algorithm for multi-pattern
 * searching", TR-94-17, 1994).
 */

/** The window that moves over the text: no needle is shorter. */
export const shortestNeedle = 8;

/** Needles are compared this far, so that every place is settled in bounded time. */
const longestNeedle = 48;

/** Signs of a block: three of 62 tell a few thousand needles apart. */
const blockLength = 3;
const signs = 62;

export interface NeedlesFound {
  readonly needles: ReadonlySet<string>;
  /** Letters and digits of all texts, one after the other; made when it is asked for. */
  readonly stripped: () => string;
}

/**
 * `needles`: 8 or more letters and digits; of a long one its middle is looked for, for beginnings are often alike. They are
 * found in `texts` also when they run on from one to the next. Linear in the texts, whatever the needles.
 */
export function createNeedleSearch(needles: readonly string[]): (texts: readonly string[]) => NeedlesFound {
  const { shifts, candidates } = createTables(needles);
  return (texts) => {
    const codes = strip(texts);
    const found = new Set<string>();
    for (let end = shortestNeedle - 1; end < codes.length;) {
      const block = blockAt(codes, end);
      const shift = shifts[block]!;
      if (shift > 0) {
        end += shift;
        continue;
      }
      const from = end - shortestNeedle + 1;
      for (const { needle, middle } of candidates.get(block)!)
        if (isAt(codes, from, middle)) found.add(needle);
      end++;
    }
    return { needles: found, stripped: () => codes.toString("latin1") };
  };
}

interface Candidate {
  readonly needle: string;
  readonly middle: Buffer;
}

function createTables(needles: readonly string[]): {
  /** For each block how far the window may move when it ends with it. */
  readonly shifts: Uint8Array;
  /** Needles whose window ends with the block. */
  readonly candidates: ReadonlyMap<number, readonly Candidate[]>;
} {
  const shifts = new Uint8Array(signs ** blockLength).fill(shortestNeedle - blockLength + 1);
  const candidates = new Map<number, Candidate[]>();
  for (const needle of needles) {
    const from = Math.max(0, (needle.length - longestNeedle) >> 1);
    const middle = Buffer.from(needle.slice(from, from + longestNeedle), "latin1");
    for (let end = blockLength - 1; end < shortestNeedle; end++) {
      const block = blockAt(middle, end);
      shifts[block] = Math.min(shifts[block]!, shortestNeedle - 1 - end);
    }
    const last = blockAt(middle, shortestNeedle - 1);
    const same = candidates.get(last) ?? [];
    same.push({ needle, middle });
    candidates.set(last, same);
  }
  return { shifts, candidates };
}

function blockAt(codes: Buffer, end: number): number {
  const first = digitOf[codes[end - 2]!]!;
  return (first * signs + digitOf[codes[end - 1]!]!) * signs + digitOf[codes[end]!]!;
}

function isAt(codes: Buffer, from: number, needle: Buffer): boolean {
  if (from + needle.length > codes.length) return false;
  for (let at = 0; at < needle.length; at++) if (codes[from + at] !== needle[at]) return false;
  return true;
}

/** For each code below 128 its number among letters and digits; 255 for other signs. */
const digitOf: Uint8Array = createDigits();

function createDigits(): Uint8Array {
  const digits = new Uint8Array(256).fill(255);
  const all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (let at = 0; at < all.length; at++) digits[all.charCodeAt(at)] = at;
  return digits;
}

/** Letters and digits of ASCII; all else is left out. */
function strip(texts: readonly string[]): Buffer {
  let length = 0;
  for (const text of texts) length += text.length;
  const codes = Buffer.allocUnsafe(length);
  let size = 0;
  for (const text of texts) {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      // Written always and kept only when it counts: a branch here would cost more.
      codes[size] = code;
      if (code < 256 && digitOf[code] !== 255) size++;
    }
  }
  return codes.subarray(0, size);
}
