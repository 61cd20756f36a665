/** Folds a run's new summary into the lists that are on screen, so that nothing is fetched again for one change. */
import type { Approval, Page, RunState, RunSummary } from "../api/contract.ts";

export interface RunPages {
  readonly pages: readonly Page<RunSummary>[];
}

export interface RunFilter {
  /** Empty: every state. */
  readonly states: readonly RunState[];
  /** Empty: every workflow. */
  readonly workflow: string;
  /** Left out: any label. */
  readonly label?: string;
  /** Only runs made from this one or by a step of it; left out: all. */
  readonly parent?: string;
}

export function matchesFilter(run: RunSummary, filter: RunFilter): boolean {
  if (filter.workflow !== "" && run.workflow.name !== filter.workflow) return false;
  if (filter.label !== undefined && !run.labels.includes(filter.label)) return false;
  if (filter.parent !== undefined && run.parent !== filter.parent) return false;
  return filter.states.length === 0 || filter.states.includes(run.state);
}

/**
 * Replaces the run where it stands, drops it when it left the filter, puts it first when it is new and belongs. A summary
 * older than the one shown (by `headSeq`) changes nothing: a list answer and the stream may cross.
 */
export function applyRun<Pages extends RunPages>(data: Pages, run: RunSummary, filter: RunFilter): Pages {
  const belongs = matchesFilter(run, filter);
  let known = false;
  const pages = data.pages.map((page) => {
    const at = page.data.findIndex((row) => row.id === run.id);
    if (at === -1) return page;
    known = true;
    const shown = page.data[at];
    if (shown !== undefined && shown.headSeq > run.headSeq) return page;
    return { ...page, data: belongs ? page.data.with(at, run) : page.data.toSpliced(at, 1) };
  });
  if (known || !belongs) return { ...data, pages };
  const [first, ...rest] = pages;
  if (first === undefined) return data;
  const at = first.data.findIndex((row) => row.createdAt <= run.createdAt);
  // Older than everything on the first page: it belongs to a page that was not fetched or does not start here.
  if (at === -1 && first.data.length > 0) return data;
  return { ...data, pages: [{ ...first, data: first.data.toSpliced(Math.max(at, 0), 0, run) }, ...rest] };
}

/** The waiting list after one approval changed: oldest question first, answered ones gone. */
export function applyApproval(waiting: readonly Approval[], changed: Approval): readonly Approval[] {
  const others = waiting.filter((approval) => approval.id !== changed.id);
  if (changed.status !== "waiting") return others;
  return [...others, changed].sort((a, b) => a.requestedAt.localeCompare(b.requestedAt));
}
