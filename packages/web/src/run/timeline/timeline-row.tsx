/** One step: its place in the tree, its state, its bar and how long it took. */
import { Link, getRouteApi } from "@tanstack/react-router";
import type { CSSProperties, ReactElement } from "react";
import { formatDuration } from "../../format/duration.ts";
import { formatCount } from "../../format/quantity.ts";
import { Icon } from "../../ui/icon.tsx";
import { stepLooks } from "../../ui/state.ts";
import { StateGlyph } from "../../ui/state-glyph.tsx";
import { percent } from "./axis.tsx";
import { kindIcons } from "./kind-icons.ts";
import { stepDurationMs } from "./step-duration.ts";
import type { StepRow } from "./step-rows.ts";
import { ratioAt, type TimeScale } from "./time-scale.ts";

const route = getRouteApi("/runs/$runId");

interface Props {
  readonly row: StepRow;
  readonly scale: TimeScale;
  readonly now: number;
  readonly line: string | undefined;
  readonly isSelected: boolean;
  readonly onFold: () => void;
}

export function TimelineRow({ row, scale, now, line, isSelected, onFold }: Props): ReactElement {
  const { step } = row;
  const look = stepLooks[step.state];
  const durationMs = stepDurationMs(step, now);
  return (
    <li className="step" data-state={step.state} data-selected={isSelected} data-tone={look.tone}>
      <div className="step-name" style={{ "--depth": step.depth } as CSSProperties}>
        <Fold row={row} onFold={onFold} />
        <StateGlyph look={look} size={15} label={look.label} />
        {row.turn !== null && <span className="step-turn">{row.turn + 1}</span>}
        <StepLink row={row} isSelected={isSelected} />
        {step.carried !== null && <span className="step-note">kept</span>}
        {step.role !== "step" && <span className="step-note">{step.role}</span>}
        {step.branch !== null && <span className="step-note">{step.branch}</span>}
        {step.caught && <span className="step-note">dealt with</span>}
        {step.held !== null && row.isLive && <span className="step-note">held back</span>}
        {step.attempt > 1 && <span className="step-note">try {step.attempt}</span>}
        {row.isFolded && <span className="step-note">{row.childCount} inside</span>}
        <span className="step-tool truncate">
          {step.tool ?? (step.kind === "tool" ? "" : step.kind.replace("_", " "))}
        </span>
        {row.isLive && line !== undefined && <span className="step-line truncate">{line}</span>}
      </div>
      <div className="step-lane">
        {row.pieces.map((piece) => {
          const from = ratioAt(scale, piece.fromMs);
          const width = ratioAt(scale, piece.toMs) - from;
          const isGrowing = row.isLive && piece === row.pieces.at(-1);
          return (
            <i
              key={piece.fromMs}
              className="bar"
              data-kind={piece.kind}
              data-live={isGrowing}
              style={{ left: percent(from), width: percent(width) }}
            />
          );
        })}
      </div>
      <span className="step-took">{durationMs === null ? "" : formatDuration(durationMs)}</span>
    </li>
  );
}

function StepLink({
  row,
  isSelected,
}: {
  readonly row: StepRow;
  readonly isSelected: boolean;
}): ReactElement {
  const { runId } = route.useParams();
  const { step } = row;
  return (
    <Link
      className="step-link truncate"
      to="/runs/$runId"
      params={{ runId }}
      search={({ step: _before, tab: _tab, ...rest }) => (isSelected ? rest : { ...rest, step: step.path })}
      replace
      resetScroll={false}
      activeOptions={{ exact: true }}
      aria-current={isSelected ? "true" : undefined}
      title={step.summary ?? step.path}
    >
      {step.title ?? step.id}
    </Link>
  );
}

function Fold({ row, onFold }: { readonly row: StepRow; readonly onFold: () => void }): ReactElement {
  if (row.childCount === 0) {
    return (
      <span className="step-kind">
        {row.step.kind !== "tool" && row.step.kind !== "set" && (
          <Icon name={kindIcons[row.step.kind]} size={13} />
        )}
      </span>
    );
  }
  const name = row.step.title ?? row.step.id;
  return (
    <button
      type="button"
      className="step-fold"
      aria-expanded={!row.isFolded}
      aria-label={`${name}: ${formatCount(row.childCount, "step")} inside`}
      onClick={onFold}
    >
      <Icon name={row.isFolded ? "right" : "down"} size={12} />
    </button>
  );
}
