/** What becomes of a run that is claimed again and again without getting on: longer and longer pauses, then a dead letter. Pure. */
import type { RunFault, StoredRun } from "./run-row.ts";

/** This many claims in a row may end without a finished step; the next one ends the run as a dead letter. */
export const defaultMaxVainClaims = 10;

const firstFaultPauseMs = 5_000;
const longestPauseMs = 5 * 60_000;
const firstCrashPauseMs = 1_000;
const longestCrashPauseMs = 60_000;

/** How long to leave a run alone after a fault of ours: 5 s, doubled with each claim in vain, 5 min at most. */
export function pauseAfterFaultMs(claims: number): number {
  return Math.min(longestPauseMs, firstFaultPauseMs * 2 ** Math.max(0, claims - 1));
}

/**
 * How long to leave a run alone whose process died: not at all after the first two, as a process dies for many reasons, then
 * 1 s, doubled, 60 s at most, so that a run that kills whoever takes it leaves time for the others. Up to half of it more or less, as
 * `random` (0 to 1) says: those that died with it come back at other times than it does, and get on while it is away.
 */
export function pauseAfterCrashMs(claims: number, random: number): number {
  if (claims <= 2) return 0;
  return Math.min(longestCrashPauseMs, firstCrashPauseMs * 2 ** (claims - 3)) * (0.5 + random);
}

/** The error with which the run ends now, or null while it may be tried on. `claims` counts the one under way. */
export function errorAfterVainClaims(
  { claims, fault }: Pick<StoredRun, "claims" | "fault">,
  maxVainClaims: number,
): { readonly code: "RUN_STUCK"; readonly message: string; readonly hint?: string } | null {
  if (claims <= maxVainClaims) return null;
  const begun = `It was taken ${claims - 1} times in a row without finishing a step`;
  if (fault === null)
    return { code: "RUN_STUCK", message: `${begun}; the process that worked on it ended each time` };
  return { code: "RUN_STUCK", message: `${begun}: ${fault.message} (${fault.code})`, hint: fault.hint };
}

/** For people: what went wrong, as it is kept in the row. */
export function faultOf(
  error: { readonly code: string; readonly message: string; readonly hint: string },
  atMs: number,
): RunFault {
  return { code: error.code, message: error.message.slice(0, 1000), hint: error.hint, atMs };
}
