/** What a person should know of a run besides its state: held back, faults of the server, files that were put right. */
import { Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import type { RunDetail } from "../api/contract.ts";
import { formatCountdown } from "../format/duration.ts";
import { formatCount } from "../format/quantity.ts";
import { millisOf } from "../format/time.ts";
import { useNow } from "../live/now.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { Ago } from "../ui/moment.tsx";
import { endedStates } from "../ui/state.ts";
import { Prose } from "../ui/prose.tsx";

export function RunNotes({ run }: { readonly run: RunDetail }): ReactElement {
  const held = run.steps.filter((step) => step.held !== null);
  const hasEnded = endedStates.has(run.state);
  return (
    <>
      {run.fault !== null && !hasEnded && (
        <Note icon="warning" tone="failed">
          <p>
            <strong>
              <Prose text={run.fault.message} />
            </strong>{" "}
            <code>{run.fault.code}</code>
          </p>
          <p className="small">
            Nothing of the run itself failed. <Prose text={run.fault.hint} />
            {run.fault.nextTryAt !== null && (
              <>
                {" "}
                It is tried again <Until time={run.fault.nextTryAt} />.
              </>
            )}
          </p>
        </Note>
      )}
      {!hasEnded &&
        held.map((step) => (
          <Note key={step.path} icon="clock" tone="waiting">
            <p>
              <Link to="/runs/$runId" params={{ runId: run.id }} search={{ step: step.path }}>
                {step.title ?? step.path}
              </Link>{" "}
              is held back: <Prose text={step.held?.reason ?? ""} />.{" "}
              {step.held !== null && (
                <>
                  It goes on <Until time={step.held.until} />.
                </>
              )}
            </p>
          </Note>
        ))}
      {run.workspaceRestored !== null && <Restored restored={run.workspaceRestored} />}
    </>
  );
}

function Restored({
  restored,
}: {
  readonly restored: NonNullable<RunDetail["workspaceRestored"]>;
}): ReactElement {
  const { putBack, removed, count, at } = restored;
  return (
    <Note icon="info" tone="idle">
      <p>
        {formatCount(count, "file")} in the run&apos;s folder had been changed from outside and{" "}
        {count === 1 ? "was" : "were"} put right, <Ago time={at} />: the folder belongs to the run.
      </p>
      <p className="small">
        {putBack.length > 0 && <>Put back: {list(putBack)}. </>}
        {removed.length > 0 && <>Removed: {list(removed)}.</>}
      </p>
    </Note>
  );
}

function list(paths: readonly string[]): string {
  return paths.join(", ");
}

interface NoteProps {
  readonly icon: IconName;
  readonly tone: "failed" | "waiting" | "idle";
  readonly children: ReactNode;
}

function Note({ icon, tone, children }: NoteProps): ReactElement {
  return (
    <section className="run-note" data-tone={tone} role="status">
      <Icon name={icon} />
      <div>{children}</div>
    </section>
  );
}

function Until({ time }: { readonly time: string }): ReactElement {
  const now = useNow(1_000);
  const leftMs = (millisOf(time) ?? now) - now;
  return <>{leftMs <= 0 ? "any moment" : `in ${formatCountdown(leftMs)}`}</>;
}
