/** Answers that are remembered: what is not asked again, where, until when; each can be forgotten. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { inboxApi, rememberedQuery, type StandingApproval } from "../api/inbox-calls.ts";
import { formatCountdown, formatDuration } from "../format/duration.ts";
import { shortId } from "../format/quantity.ts";
import { formatExact, millisOf } from "../format/time.ts";
import { useNow } from "../live/now.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

export function RememberedList(): ReactElement {
  const list = useQuery(rememberedQuery);
  if (list.isPending) return <Loading />;
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (list.data.length === 0) {
    return (
      <section className="panel">
        <EmptyState title="No answer is remembered">
          <p>
            “Approve and remember” at a question lets the same action pass for a while without being asked
            again. What policy denies stays denied all the same.
          </p>
        </EmptyState>
      </section>
    );
  }
  return (
    <ul className="panel standing">
      {list.data.map((standing) => (
        <Row key={standing.id} standing={standing} />
      ))}
    </ul>
  );
}

function Row({ standing }: { readonly standing: StandingApproval }): ReactElement {
  const client = useQueryClient();
  const announce = useAnnounce();
  const forget = useMutation({
    mutationFn: () => inboxApi.forget(standing.id),
    onSuccess: async () => {
      announce(`Forgotten: ${standing.action} is asked again`);
      await client.invalidateQueries({ queryKey: rememberedQuery.queryKey });
    },
  });
  return (
    <li>
      <div className="standing-text">
        <p>
          <code>{standing.action}</code> on <code>{standing.resource}</code>
        </p>
        <p className="quiet small">
          {standing.match === "exact" ? "With the very same arguments" : "With any arguments"},{" "}
          <Scope standing={standing} />. Remembered by {standing.createdBy}, <Ago time={standing.createdAt} />
          . <Left until={standing.expiresAt} />
        </p>
        {standing.voidBecause !== null && (
          <p className="small">
            <span className="chip" data-tone="failed">
              void
            </span>{" "}
            It does not count any more: {standing.voidBecause}.
          </p>
        )}
        {forget.isError && <ProblemNotice error={forget.error} />}
      </div>
      <Button icon="cross" busy={forget.isPending} onClick={() => forget.mutate()}>
        Forget
      </Button>
    </li>
  );
}

function Scope({ standing }: { readonly standing: StandingApproval }): ReactElement {
  switch (standing.scope) {
    case "run":
      return (
        <>
          in the run{" "}
          <Link to="/runs/$runId" params={{ runId: standing.scopeId }} search={{}}>
            {shortId(standing.scopeId)}
          </Link>
        </>
      );
    case "workflow":
      return <>in runs of {standing.scopeId}</>;
    case "tenant":
      return <>in all runs</>;
  }
}

/** `Ends in 5:12`, `Ends in 3 d 4 h`. */
export function Left({ until }: { readonly until: string }): ReactElement {
  const now = useNow(1_000);
  const untilMs = millisOf(until) ?? now;
  const leftMs = untilMs - now;
  const text = leftMs < 3_600_000 ? formatCountdown(leftMs) : formatDuration(leftMs);
  return <span title={formatExact(untilMs)}>{leftMs <= 0 ? "Ended." : `Ends in ${text}.`}</span>;
}
