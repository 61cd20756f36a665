/** Every question there was, with its answer; each opens to its arguments. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, type ReactElement } from "react";
import type { Approval } from "../api/contract.ts";
import { answeredQuery } from "../api/queries.ts";
import { JsonView } from "../json-view/json-view.tsx";
import { MatchedRules } from "../policy/matched-rules.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { StateBadge } from "../ui/state-glyph.tsx";
import { statusLooks } from "./approval-text.ts";
import { RunPath } from "./run-path.tsx";
import { Prose } from "../ui/prose.tsx";

/** The API tells oldest first, a history reads newest first: all pages are fetched, up to 2,000 questions. */
const mostPages = 20;

export function AnsweredList(): ReactElement {
  const list = useInfiniteQuery(answeredQuery);
  const { hasNextPage, isFetching, fetchNextPage } = list;
  const pageCount = list.data?.pages.length ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetching && pageCount < mostPages) void fetchNextPage();
  }, [hasNextPage, isFetching, pageCount, fetchNextPage]);
  if (list.isPending) return <Loading />;
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />;
  const approvals = list.data.pages
    .flatMap((page) => page.data)
    .filter((approval) => approval.status !== "waiting")
    .toSorted((a, b) => b.requestedAt.localeCompare(a.requestedAt));
  if (approvals.length === 0) {
    return (
      <EmptyState title="No question was answered yet">
        <p>Every answer stays here with who gave it, why, and the exact arguments it was given for.</p>
      </EmptyState>
    );
  }
  return (
    <>
      <ul className="panel answered">
        {approvals.map((approval) => (
          <li key={approval.id}>
            <Row approval={approval} />
          </li>
        ))}
      </ul>
      {hasNextPage && pageCount >= mostPages && (
        <p className="quiet small">
          There are more; <code>homeostat approvals --all --json</code> lists every one.
        </p>
      )}
    </>
  );
}

function Row({ approval }: { readonly approval: Approval }): ReactElement {
  return (
    <details>
      <summary>
        <Icon name="right" size={13} />
        <span className="answered-status">
          <StateBadge look={statusLooks[approval.status]}>
            {approval.status === "resolved" && approval.answer !== null
              ? approval.answer.replaceAll("-", " ")
              : undefined}
          </StateBadge>
        </span>
        <span className="answered-summary">{approval.summary}</span>
        <span className="answered-by">
          {approval.decidedBy ?? approval.workflow}, <Ago time={approval.decidedAt ?? approval.requestedAt} />
        </span>
      </summary>
      <div className="answered-body">
        {approval.decisionReason !== null && <p>“{approval.decisionReason}”</p>}
        <p className="quiet small answered-place">
          <RunPath of={approval} />
        </p>
        <p className="quiet small">
          <Prose text={approval.reason} />
        </p>
        {approval.matched.length > 0 && <MatchedRules rules={approval.matched} />}
        <JsonView value={approval.args} what="arguments" emptyText="This question had no arguments." />
        {approval.editedArgs !== null && (
          <>
            <h3>Approved with these instead</h3>
            <JsonView value={approval.editedArgs} what="edited arguments" />
          </>
        )}
      </div>
    </details>
  );
}
