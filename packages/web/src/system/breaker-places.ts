/** In which processes a breaker counts or is open, in words, and what a reset of it did. Pure. */
import type { BreakerReset, Limits } from "../api/operations-calls.ts";

type Process = Limits["processes"][number];
export type BreakerState = Limits["breakers"][number]["state"];

/** `worker kiln:4711`. */
export function processName({ role, host, pid }: Pick<Process, "role" | "host" | "pid">): string {
  return `${role === "all" ? "process" : role} ${host}:${pid}`;
}

const stateWords: Readonly<Record<BreakerState, string>> = {
  open: "open",
  probing: "trying one call",
  counting: "counting",
};

/** `open in worker kiln:1 and worker loom:2; counting in gateway kiln:3`; empty when there is one process only. */
export function placesText(target: string, processes: readonly Process[]): string {
  if (processes.length < 2) return "";
  return (Object.keys(stateWords) as BreakerState[])
    .map((state) => {
      const those = processes.filter(
        (each) =>
          each.state !== "silent" &&
          each.breakers.some((breaker) => breaker.target === target && breaker.state === state),
      );
      return those.length === 0 ? "" : `${stateWords[state]} in ${listed(those.map(processName))}`;
    })
    .filter((text) => text !== "")
    .join("; ");
}

/** What is said after a reset, and whether somebody has not answered. */
export function resetText(
  target: string,
  { processes }: BreakerReset,
): { readonly text: string; readonly isComplete: boolean } {
  const missing = processes.filter(({ targets }) => targets === null);
  if (missing.length === 0) return { text: `${target} may be called again`, isComplete: true };
  const who = listed(missing.map(processName));
  return { text: `${who} did not answer yet; failures are forgotten there when it does`, isComplete: false };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3);
  const more = names.length - shown.length;
  if (more > 0) return `${shown.join(", ")} and ${more} more`;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)!}`;
}
