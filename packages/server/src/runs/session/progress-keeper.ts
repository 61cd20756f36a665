/** Keeps what runs say of how far they are, in their rows, so that lists show it: at most once a second for each run. */
import type { Clock } from "../../base/clock.ts";
import { setRunProgress } from "../../queue/run-row.ts";
import type { Store } from "../../store/store.ts";

export interface ProgressKeeper {
  /** Must not throw and does not wait. `percent` is 0 to 100. */
  note(runId: string, text: string, percent: number | null): void;
}

const shortestGapMs = 1_000;
const longestText = 200;

/** The last word always arrives: what comes within the gap is written when the gap is over. */
export function createProgressKeeper({ store, clock }: { store: Store; clock: Clock }): ProgressKeeper {
  const unwritten = new Map<string, { text: string; percent: number | null }>();
  const resting = new Set<string>();
  return {
    note(runId, text, percent) {
      const isNumber = percent !== null && Number.isFinite(percent);
      unwritten.set(runId, {
        text: text.slice(0, longestText),
        percent: isNumber ? Math.min(100, Math.max(0, Math.round(percent))) : null,
      });
      if (!resting.has(runId)) void write(runId);
    },
  };

  async function write(runId: string): Promise<void> {
    const last = unwritten.get(runId);
    if (last === undefined) return void resting.delete(runId);
    resting.add(runId);
    unwritten.delete(runId);
    // What cannot be written now is told again with the next word; nothing depends on it.
    await store.write([setRunProgress(runId, { ...last, atMs: clock.now() })]).catch(() => undefined);
    await clock.sleep(shortestGapMs);
    await write(runId);
  }
}
