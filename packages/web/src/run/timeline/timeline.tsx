/** Tree and gantt in one view: each step a row with its bar on a shared time axis; a row opens its details. */
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useRef, useState, type ReactElement } from "react";
import type { RunDetail } from "../../api/contract.ts";
import { useKeys } from "../../shell/keys.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { endedStates } from "../../ui/state.ts";
import type { ProgressLines } from "../use-run-stream.ts";
import { AxisHeader, AxisLines } from "./axis.tsx";
import { settleSteps } from "./settle-steps.ts";
import { StepDetail } from "./step-detail.tsx";
import { largeGroups, type StepRow } from "./step-rows.ts";
import { TimelineRow } from "./timeline-row.tsx";
import { TimelineTools } from "./timeline-tools.tsx";
import { useTimeline } from "./use-timeline.ts";
import "./timeline.css";

const route = getRouteApi("/runs/$runId");

/** Groups with more steps than this begin folded. */
const foldedAbove = 120;

interface Props {
  readonly run: RunDetail;
  readonly lines: ProgressLines;
}

export function Timeline({ run: given, lines }: Props): ReactElement {
  const run = useMemo(() => settleSteps(given), [given]);
  const { step: selectedPath, scale: scaleName } = route.useSearch();
  const [filter, setFilter] = useState("");
  const [folded, setFolded] = useFolding(run, selectedPath);
  const filterField = useRef<HTMLInputElement>(null);
  const view = useTimeline(run, {
    folded,
    filter: filter.trim().toLowerCase(),
    isReal: scaleName === "real",
  });
  const selected = run.steps.find((step) => step.path === selectedPath);
  const select = useSelection(view.rows, selectedPath, () => filterField.current?.focus());
  if (run.steps.length === 0) {
    return (
      <EmptyState title={endedStates.has(run.state) ? "No step ran" : "No step yet"}>
        <p>The steps appear here as soon as a worker takes the run.</p>
      </EmptyState>
    );
  }
  return (
    <div className="timeline" data-open={selected !== undefined}>
      <section className="panel timeline-main" aria-label="Timeline">
        <TimelineTools
          filter={filter}
          onFilter={setFilter}
          fieldRef={filterField}
          hasGaps={view.gaps.length > 0}
          foldable={run.steps.length !== view.rows.length || view.rows.some((row) => row.childCount > 0)}
          isFolded={folded.size > 0}
          onFold={(fold) => setFolded(fold ? view.groupPaths : new Set())}
        />
        <div className="timeline-scroll">
          <AxisHeader scale={view.scale} ticks={view.ticks} />
          <div className="timeline-body">
            <AxisLines scale={view.scale} ticks={view.ticks} />
            <ol>
              {view.rows.map((row) => (
                <TimelineRow
                  key={row.step.path}
                  row={row}
                  scale={view.scale}
                  now={view.now}
                  line={lines[row.step.path]}
                  isSelected={row.step.path === selectedPath}
                  onFold={() => setFolded(toggled(folded, row.step.path))}
                />
              ))}
            </ol>
            {view.rows.length === 0 && <p className="timeline-none quiet">No step matches “{filter}”.</p>}
          </div>
        </div>
      </section>
      {selected !== undefined && (
        <StepDetail run={run} step={selected} now={view.now} onClose={() => select(undefined)} />
      )}
    </div>
  );
}

/** What is folded: the large groups, until somebody folds or unfolds. */
function useFolding(
  run: RunDetail,
  selectedPath: string | undefined,
): readonly [ReadonlySet<string>, (folded: ReadonlySet<string>) => void] {
  const [chosen, setFolded] = useState<ReadonlySet<string> | null>(null);
  const folded = useMemo(
    () => chosen ?? largeGroups(run.steps, foldedAbove, selectedPath),
    [chosen, run.steps, selectedPath],
  );
  return [folded, setFolded];
}

/** J and K walk the rows, Escape closes, / filters. */
function useSelection(
  rows: readonly StepRow[],
  selectedPath: string | undefined,
  focusFilter: () => void,
): (path: string | undefined) => void {
  const navigate = route.useNavigate();
  const select = (path: string | undefined): void => {
    void navigate({
      search: ({ step: _before, ...rest }) => (path === undefined ? rest : { ...rest, step: path }),
      replace: true,
      resetScroll: false,
    });
  };
  const move = (by: number): void => {
    const at = rows.findIndex((row) => row.step.path === selectedPath);
    const next = rows[at === -1 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next !== undefined) select(next.step.path);
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    "/": focusFilter,
    Escape: () => select(undefined),
  });
  return select;
}

function toggled(paths: ReadonlySet<string>, path: string): ReadonlySet<string> {
  const after = new Set(paths);
  if (!after.delete(path)) after.add(path);
  return after;
}
