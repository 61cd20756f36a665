/** What a new run would keep and what it would do again, before anything is made. */
import type { ReactElement } from "react";
import type { RepeatedEffect, RerunAnswer } from "../api/run-calls.ts";
import { formatCount } from "../format/quantity.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import type { StateLook } from "../ui/state.ts";

const looks: Readonly<Record<RepeatedEffect["effect"], StateLook>> = {
  pure: { label: "pure", tone: "idle", glyph: "ring" },
  idempotent: { label: "idempotent", tone: "idle", glyph: "ring" },
  checkable: { label: "checkable", tone: "waiting", glyph: "diamond" },
  unsafe: { label: "unsafe", tone: "failed", glyph: "octagon" },
};

const outcomes: Readonly<Record<RepeatedEffect["outcome"], string>> = {
  completed: "it was done",
  failed: "it failed",
  unknown: "its end is unknown",
};

export function AgainPreview({ answer }: { readonly answer: RerunAnswer }): ReactElement {
  const { carriedCount, repeats, repeatsCount } = answer;
  return (
    <>
      <h3>What will happen</h3>
      <p className="small">
        {carriedCount === 0 ? "No step is kept" : `${formatCount(carriedCount, "step")} kept`};{" "}
        {repeatsCount === 0
          ? "nothing that acted before is done again."
          : `${formatCount(repeatsCount, "action")} done again, under new keys:`}
      </p>
      {repeats.length > 0 && (
        <ul className="repeats" tabIndex={0} aria-label="Actions done again">
          {repeats.toSorted(unsafeFirst).map((repeat) => (
            <li key={`${repeat.step} ${repeat.tool}`}>
              <StateBadge look={looks[repeat.effect]} />
              <span>
                {repeat.summary} <span className="quiet">({outcomes[repeat.outcome]})</span>
                <br />
                <code className="quiet">{repeat.step}</code>
              </span>
            </li>
          ))}
        </ul>
      )}
      {repeatsCount > repeats.length && (
        <p className="quiet small">and {formatCount(repeatsCount - repeats.length, "more", "more")}.</p>
      )}
    </>
  );
}

function unsafeFirst(a: RepeatedEffect, b: RepeatedEffect): number {
  return Number(b.effect === "unsafe") - Number(a.effect === "unsafe");
}
