/** Runs that this process has its hands on outside of its worker's list, so that their leases are not taken for left-behind ones. */
export interface HeldHere {
  /** From now until the returned function is called, which must be called once. One run may be held several times. */
  hold(runId: string): () => void;
  has(runId: string): boolean;
}

export function createHeldHere(): HeldHere {
  const counts = new Map<string, number>();
  return {
    hold(runId) {
      counts.set(runId, (counts.get(runId) ?? 0) + 1);
      return () => {
        const left = counts.get(runId)! - 1;
        if (left === 0) counts.delete(runId);
        else counts.set(runId, left);
      };
    },
    has: (runId) => counts.has(runId),
  };
}
