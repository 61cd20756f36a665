/** Why a decision is what it is: the risk score with its factors, where each argument came from, and what was changed in them. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { StepDecision } from "../../api/contract.ts";
import type { NearMiss } from "../../api/policy-calls.ts";
import { formatCount } from "../../format/quantity.ts";
import { Digest } from "../../ui/digest.tsx";
import { effectLooks, type Tone } from "../../ui/state.ts";
import { StateBadge } from "../../ui/state-glyph.tsx";
import { changeReasons, changeText, rulesText } from "./change-text.ts";
import {
  fromText,
  instructedText,
  originTone,
  readSource,
  sortOrigins,
  type ArgumentOrigin,
} from "./origin-text.ts";
import "./decision-parts.css";

export type Score = NonNullable<StepDecision["score"]>;

/** From these scores on the shipped policy asks, and everything is as bad as it can be. */
function scoreTone(value: number): Tone {
  return value >= 70 ? "failed" : value >= 35 ? "waiting" : "idle";
}

export function RiskScore({ score }: { readonly score: Score }): ReactElement {
  return (
    <div className="risk-score" data-tone={scoreTone(score.value)}>
      <div className="risk-meter">
        <span>
          Risk <b>{score.value}</b> of 100
        </span>
        <meter min={0} max={100} value={score.value} aria-label="Risk score">
          {score.value} of 100
        </meter>
      </div>
      {score.factors.length === 0 ? (
        <p className="quiet small">Nothing counts against it.</p>
      ) : (
        <ul>
          {score.factors.map(({ name, points, why }) => (
            <li key={name}>
              <b>+{Math.round(points * 10) / 10}</b>
              <span>
                {name}
                {why !== "" && why !== name && <span className="quiet"> {why}</span>}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface OriginsProps {
  readonly origins: readonly ArgumentOrigin[];
  /** The run whose steps the sources are. */
  readonly runId: string;
}

export function Origins({ origins, runId }: OriginsProps): ReactElement {
  if (origins.length === 0) return <p className="quiet small">It has no arguments to trace.</p>;
  const sorted = sortOrigins(origins);
  const foreign = sorted.filter((origin) => originTone(origin) !== "idle");
  const rest = sorted.filter((origin) => originTone(origin) === "idle");
  return (
    <div className="origins">
      {foreign.length > 0 && <OriginList origins={foreign} runId={runId} />}
      {rest.length > 0 && (
        <details open={foreign.length === 0 && rest.length <= 6}>
          <summary>{formatCount(rest.length, "trusted argument")}</summary>
          <OriginList origins={rest} runId={runId} />
        </details>
      )}
    </div>
  );
}

function OriginList({ origins, runId }: OriginsProps): ReactElement {
  return (
    <ul className="origin-list">
      {origins.map((origin) => (
        <li key={origin.path}>
          <div className="cluster">
            <code>{origin.path}</code>
            <span className="quiet small">{origin.role}</span>
            <span className="chip" data-tone={originTone(origin)}>
              {fromText(origin)}
            </span>
            {origin.labels.map((label) => (
              <span className="quiet small" key={label}>
                {label}
              </span>
            ))}
          </div>
          {origin.sources.length > 0 && (
            <p className="small">
              {origin.how === "derived" ? "computed from " : "from "}
              {origin.sources.map((source, index) => (
                <SourceText key={source} text={source} runId={runId} isFirst={index === 0} />
              ))}
            </p>
          )}
          {origin.instructed > 0 && (
            <p className="small">
              Passage <span className="quiet">{instructedText(origin.instructed)}</span>
              {origin.isDelegated && <span className="quiet">; the task names its source</span>}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

interface SourceProps {
  readonly text: string;
  readonly runId: string;
  readonly isFirst: boolean;
}

function SourceText({ text, runId, isFirst }: SourceProps): ReactElement {
  const { step, place } = readSource(text);
  return (
    <>
      {!isFirst && "; "}
      {step === null ? (
        text
      ) : (
        <>
          <Link to="/runs/$runId" params={{ runId }} search={{ step }}>
            step {step}
          </Link>
          {place !== "" && `, ${place}`}
        </>
      )}
    </>
  );
}

/** The texts themselves are nowhere kept: a stranger's words do not get to the reader by this way either. */
export function TextChanges({
  transformed,
}: {
  readonly transformed: NonNullable<StepDecision["transformed"]>;
}): ReactElement {
  return (
    <div className="origins">
      <p className="quiet small">
        {rulesText(transformed.rules)}; what was decided, and done, is what that left.
      </p>
      <ul className="origin-list">
        {transformed.changes.map((change) => (
          <li key={change.path}>
            <p className="small">
              <code>{change.path}</code>: {changeText(change)}: {changeReasons(change).join("; ")}
            </p>
            <p className="quiet small">
              {change.passages
                .map(
                  ({ at, length, score }) =>
                    `from character ${at.toLocaleString("en-GB")} on, ${formatCount(length, "character")}, ${instructedText(score)}`,
                )
                .join("; ")}
            </p>
            <p className="quiet small">
              text as it was <Digest value={change.digest} what="digest of the text as it was" />
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function NearMisses({ misses }: { readonly misses: readonly NearMiss[] }): ReactElement {
  if (misses.length === 0) return <p className="quiet small">Every rule matched.</p>;
  return (
    <ul className="matched">
      {misses.map((miss) => (
        <li key={`${miss.file ?? ""}:${miss.line}:${miss.name}`}>
          <div className="cluster">
            <StateBadge look={effectLooks[miss.effect]} />
            <strong>{miss.name}</strong>
            {miss.file === undefined ? (
              <Link to="/policy" search={{ line: miss.line }} className="nowrap small">
                policy.yaml:{miss.line}
              </Link>
            ) : (
              <span className="quiet small">
                {miss.file}:{miss.line}
              </span>
            )}
          </div>
          {miss.missed.map((part) => (
            <p key={part}>{part}</p>
          ))}
        </li>
      ))}
    </ul>
  );
}
