/** Signals that came before a step waited for them: how many of one name a run keeps, and what is asked before one more is sent. */
import type { JsonValue } from "../../base/canonical-json.ts";

/** A signal that no step has taken yet. */
export interface ReceivedSignal {
  readonly seq: number;
  readonly name: string;
  readonly data: JsonValue;
  readonly by: string;
  readonly atMs: number;
  /** UTF-16 units of its data as JSON. */
  readonly length: number;
}

/** Of one name. They stand in the state of the run, in every process that looks at it; the journal keeps them all. */
export const mostSignals = 1_000;
/** Of one name, in UTF-16 units. */
export const longestSignals = 4_194_304;

/** With one more; the oldest of the same name go that are too many. Others are not touched: a flood of one name stays its own. */
export function keepSignals(
  signals: readonly ReceivedSignal[],
  received: Omit<ReceivedSignal, "length">,
): readonly ReceivedSignal[] {
  const added = { ...received, length: JSON.stringify(received.data).length };
  const same = signals.filter(({ name }) => name === received.name);
  let count = same.length + 1;
  let length = same.reduce((sum, each) => sum + each.length, added.length);
  const gone = new Set<ReceivedSignal>();
  for (const each of same) {
    if (!isTooMuch({ count, length })) break;
    gone.add(each);
    count -= 1;
    length -= each.length;
  }
  return [...(gone.size === 0 ? signals : signals.filter((each) => !gone.has(each))), added];
}

/** True when so many, or such long ones, are more than a run keeps of one name. */
export function isTooMuch({ count, length }: { readonly count: number; readonly length: number }): boolean {
  return count > mostSignals || length > longestSignals;
}
