/** Folded states of long runs, kept in memory so that a look at one costs what is new in its journal. Losing it costs a fold. */
import type { RunState } from "./fold.ts";
import { fold, initialState } from "./fold.ts";
import { emptyHead, readJournal } from "./journal.ts";
import type { RunReaderDeps } from "./run-reader.ts";
import { createSharing } from "./share-values.ts";

export interface StateCache {
  /** The run as its journal has it now. Read-only, and only until the caller next waits for something. */
  read(runId: string): Promise<RunState>;
}

interface Entry {
  readonly state: RunState;
  /** Readers of one run take turns: the fold goes on in place. */
  turn: Promise<unknown>;
}

/** A run of 100,000 events keeps about 60 MB alive; shorter ones are folded anew each time. */
const bounds = { mostRuns: 2, fewestEvents: 2_000 };

export function createStateCache(
  deps: RunReaderDeps,
  { mostRuns, fewestEvents }: { readonly mostRuns: number; readonly fewestEvents: number } = bounds,
): StateCache {
  const entries = new Map<string, Entry>();
  return {
    async read(runId) {
      const entry = entries.get(runId) ?? {
        state: initialState(runId, emptyHead(runId).digest),
        turn: Promise.resolve(),
      };
      const mine = entry.turn.then(() => catchUp(deps, entry.state));
      entry.turn = mine.catch(() => undefined);
      // The one used last is the last to go.
      entries.delete(runId);
      entries.set(runId, entry);
      try {
        await mine;
      } catch (error) {
        // Half folded in: what follows would be folded onto the wrong state.
        if (entries.get(runId) === entry) entries.delete(runId);
        throw error;
      }
      if (entry.state.headSeq < fewestEvents && entries.get(runId) === entry) entries.delete(runId);
      for (const oldest of entries.keys()) {
        if (entries.size <= mostRuns) break;
        entries.delete(oldest);
      }
      return entry.state;
    },
  };
}

async function catchUp(deps: RunReaderDeps, state: RunState): Promise<void> {
  const { id, headSeq } = state;
  const share = createSharing();
  for await (const event of readJournal(deps.store, deps.readBlobText, id, headSeq)) {
    fold(state, share(event));
  }
}
