/** Resets circuit breakers in every process that has them, and waits a moment for what each of them says. */
import type { Clock } from "../base/clock.ts";
import type { Store } from "../store/store.ts";
import { askReset, listAnswers } from "./report-rows.ts";
import type { ResetRequest } from "./report-rows.ts";

export interface ResetDeps {
  readonly store: Pick<Store, "read" | "write">;
  readonly clock: Clock;
}

/** Well above the time between two looks of a process at its requests, and below what a person waits for. */
const patienceMs = 3_000;
const lookMs = 50;

/**
 * Which targets each of `processes` (identities) forgot; one that is not in the answer did not say anything in time, and does it as
 * soon as it looks. Throws STORE_UNAVAILABLE, and the signal's reason when it is aborted.
 */
export async function resetBreakers(
  { store, clock }: ResetDeps,
  request: ResetRequest & { readonly processes: readonly string[] },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { id, batch } = askReset(request, clock.now());
  await store.write(batch);
  const endMs = clock.monotonic() + patienceMs;
  for (;;) {
    const answers = await listAnswers(store, id);
    const isComplete = request.processes.every((process) => answers.has(process));
    if (isComplete || clock.monotonic() >= endMs) return answers;
    await clock.sleep(lookMs, signal);
  }
}
