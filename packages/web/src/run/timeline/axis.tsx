/** The time axis: labels above, hairlines through the rows, squeezed stretches hatched and named. */
import type { ReactElement } from "react";
import { formatDuration } from "../../format/duration.ts";
import type { Tick, TimeScale } from "./time-scale.ts";

interface Props {
  readonly scale: TimeScale;
  readonly ticks: readonly Tick[];
}

export function AxisHeader({ scale, ticks }: Props): ReactElement {
  return (
    <div className="axis" aria-hidden="true">
      <span className="axis-name">Step</span>
      <div className="axis-lane">
        {ticks.map((tick) => (
          <span key={tick.label} className="axis-label" style={{ left: percent(tick.ratio) }}>
            {tick.label}
          </span>
        ))}
        {squeezed(scale).map((segment) => (
          <span
            key={segment.fromMs}
            className="axis-gap-label"
            style={{ left: percent((segment.fromRatio + segment.toRatio) / 2) }}
            title={`${formatDuration(segment.toMs - segment.fromMs)} of waiting, squeezed`}
          >
            {formatDuration(segment.toMs - segment.fromMs)}
          </span>
        ))}
      </div>
      <span className="axis-took">Took</span>
    </div>
  );
}

export function AxisLines({ scale, ticks }: Props): ReactElement {
  return (
    <div className="axis-lines" aria-hidden="true">
      {ticks.map((tick) => (
        <i key={tick.label} className="axis-line" style={{ left: percent(tick.ratio) }} />
      ))}
      {squeezed(scale).map((segment) => (
        <i
          key={segment.fromMs}
          className="axis-gap"
          style={{ left: percent(segment.fromRatio), width: percent(segment.toRatio - segment.fromRatio) }}
        />
      ))}
    </div>
  );
}

export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(3)}%`;
}

function squeezed(scale: TimeScale): TimeScale["segments"] {
  return scale.segments.filter((segment) => segment.squeezed);
}
