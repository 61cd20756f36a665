/** Follows one dry run: what is read so far, what would change, and the report at the end. */
import { useEffect, useRef, useState } from "react";
import { openDryRun, type DryRunInput } from "../../api/policy-calls.ts";
import { addChange, type Change, type ChangeGroup } from "./change-groups.ts";

export interface DryRunReport {
  readonly actions: number;
  readonly changed: number;
  readonly incomplete: number;
  readonly erasedRuns: number;
  readonly groups: readonly ChangeGroup[];
  readonly rules: readonly { readonly name: string; readonly line: number; readonly hits: number }[];
}

export interface DryRunState {
  readonly kind: "idle" | "running" | "done" | "failed";
  readonly runs: number;
  readonly runsTotal: number;
  readonly actions: number;
  readonly changed: number;
  readonly groups: readonly ChangeGroup[];
  readonly report: DryRunReport | null;
  readonly error: unknown;
}

const idle: DryRunState = {
  kind: "idle",
  runs: 0,
  runsTotal: 0,
  actions: 0,
  changed: 0,
  groups: [],
  report: null,
  error: null,
};

/** One at a time: a new start and leaving the page stop the one before. */
export function useDryRun(): {
  readonly state: DryRunState;
  readonly start: (input: DryRunInput) => void;
  readonly stop: () => void;
} {
  const [state, setState] = useState(idle);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = (input: DryRunInput): void => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState({ ...idle, kind: "running" });
    void follow(input, controller.signal, setState);
  };
  const stop = (): void => {
    running.current?.abort();
    setState(idle);
  };
  return { state, start, stop };
}

type Update = (change: (state: DryRunState) => DryRunState) => void;

async function follow(input: DryRunInput, signal: AbortSignal, update: Update): Promise<void> {
  const tell: Update = (change) => {
    if (!signal.aborted) update(change);
  };
  try {
    for await (const { event, data } of openDryRun(input, signal)) take(event, data, tell);
    tell((state) => (state.kind === "running" ? { ...state, kind: "done" } : state));
  } catch (error) {
    tell((state) => ({ ...state, kind: "failed", error }));
  }
}

/** The shapes are those of the route's description; streams have no schema in the document. */
function take(event: string, data: unknown, tell: Update): void {
  if (event === "progress") {
    const progress = data as Pick<DryRunState, "runs" | "runsTotal" | "actions" | "changed">;
    tell((state) => ({ ...state, ...progress }));
  } else if (event === "change") {
    tell((state) => ({ ...state, groups: addChange(state.groups, data as Change) }));
  } else if (event === "report") {
    const report = data as DryRunReport;
    tell((state) => ({
      ...state,
      report,
      groups: report.groups,
      actions: report.actions,
      changed: report.changed,
    }));
  }
}
