/** Choices that are the same for the same seed. */

/** One of a list. */
export type Picker = <T>(list: readonly T[]) => T;

/** mulberry32: small, and good enough to spread choices. */
export function createPicker(seed: number): Picker {
  let state = seed >>> 0;
  return (list) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return list[((mixed ^ (mixed >>> 14)) >>> 0) % list.length]!;
  };
}
