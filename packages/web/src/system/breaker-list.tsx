/** Circuit breakers of all processes: what fails, until when calls are held back, and a way to let them go again. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { operationsApi, type Limits } from "../api/operations-calls.ts";
import { operationKeys } from "../api/operations-queries.ts";
import { sessionQuery } from "../api/queries.ts";
import { formatCountdown } from "../format/duration.ts";
import { formatCount } from "../format/quantity.ts";
import { millisOf } from "../format/time.ts";
import { useNow } from "../live/now.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { StateBadge } from "../ui/state-glyph.tsx";
import type { StateLook } from "../ui/state.ts";
import { placesText, resetText, type BreakerState } from "./breaker-places.ts";

type Breaker = Limits["breakers"][number];

export function BreakerList({ limits }: { readonly limits: Limits }): ReactElement {
  const { breakers, processes } = limits;
  const now = useNow(1_000, breakers.length > 0);
  const role = useQuery(sessionQuery).data?.role;
  const mayReset = role === "operator" || role === "approver" || role === "admin";
  return (
    <section className="panel" aria-labelledby="breakers">
      <header className="panel-head">
        <h2 id="breakers">Circuit breakers</h2>
        <span className="quiet small">five failures in a row open one for 30 s</span>
      </header>
      {breakers.length === 0 && (
        <p className="panel-body quiet">No host and no tool has failed lately: every breaker is closed.</p>
      )}
      {breakers.length > 0 && (
        <ul className="breakers">
          {breakers.map((breaker) => (
            <li key={breaker.target}>
              <div className="breaker-what">
                <code>{breaker.target}</code>
                <span className="quiet small">{failureText(breaker, now)}</span>
                <span className="quiet small">{placesText(breaker.target, processes)}</span>
              </div>
              <StateBadge look={breakerLooks[breaker.state]} />
              {mayReset && <ResetButton target={breaker.target} />}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

export const breakerLooks: Readonly<Record<BreakerState, StateLook>> = {
  counting: { label: "Closed, counting failures", tone: "idle", glyph: "ring" },
  open: { label: "Open", tone: "failed", glyph: "octagon" },
  probing: { label: "Trying one call", tone: "moving", glyph: "arc" },
};

function failureText({ failures, state, openUntil }: Breaker, nowMs: number): string {
  const text = `${formatCount(failures, "failure")} in a row`;
  if (state !== "open") return text;
  const leftMs = Math.max(0, (millisOf(openUntil) ?? nowMs) - nowMs);
  return `${text}; one call is tried in ${formatCountdown(leftMs)}`;
}

function ResetButton({ target }: { readonly target: string }): ReactElement {
  const client = useQueryClient();
  const announce = useAnnounce();
  const reset = useMutation({
    mutationFn: () => operationsApi.resetBreakers({ target }),
    onSuccess: async (answer) => {
      const { text, isComplete } = resetText(target, answer);
      announce(text, isComplete ? {} : { tone: "waiting" });
      await client.invalidateQueries({ queryKey: operationKeys.limits });
    },
  });
  return (
    <>
      <Button icon="retry" busy={reset.isPending} onClick={() => reset.mutate()}>
        Reset<span className="visually-hidden"> {target}</span>
      </Button>
      {reset.error !== null && <ProblemNotice error={reset.error} />}
    </>
  );
}
