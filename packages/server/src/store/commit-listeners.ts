/** Who wants to know of commits to which table. */
import { errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";

export interface CommitListeners {
  /** Returns the removal; the same function may be added twice and is then called twice. */
  add(table: string, listener: () => void): () => void;
  isEmpty(): boolean;
  notify(tables: readonly string[]): void;
  /** For commits of other processes, whose tables are not known. */
  notifyAll(): void;
}

/** A listener that throws is logged and harms no other. */
export function createCommitListeners(logger: Logger): CommitListeners {
  const byTable = new Map<string, Set<{ readonly listener: () => void }>>();
  return {
    add(table, listener) {
      const name = table.toLowerCase();
      const entry = { listener };
      const entries = byTable.get(name) ?? new Set();
      byTable.set(name, entries.add(entry));
      return () => {
        entries.delete(entry);
        if (entries.size === 0 && byTable.get(name) === entries) byTable.delete(name);
      };
    },
    isEmpty: () => byTable.size === 0,
    notify: (tables) => tables.forEach(notifyTable),
    notifyAll: () => [...byTable.keys()].forEach(notifyTable),
  };

  function notifyTable(table: string): void {
    for (const { listener } of [...(byTable.get(table) ?? [])]) {
      try {
        listener();
      } catch (error) {
        logger.error({ table, error: errorMessage(error) }, "a commit listener failed");
      }
    }
  }
}
