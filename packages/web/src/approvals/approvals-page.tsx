/** One list of everything that waits for a person, answered by mouse or by J, K, A and R. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useRef, useState, type ReactElement } from "react";
import type { Approval } from "../api/contract.ts";
import { waitingQuery } from "../api/queries.ts";
import { useKeys } from "../shell/keys.ts";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { AnsweredList } from "./answered-list.tsx";
import { ApprovalCard } from "./approval-card.tsx";
import type { DecisionMode } from "./decision-form.tsx";
import "./approvals-page.css";

const route = getRouteApi("/approvals");
const atRest = { label: "", tone: "done", glyph: "check" } as const;

export function ApprovalsPage(): ReactElement {
  const { show } = route.useSearch();
  const waiting = useQuery(waitingQuery);
  const count = waiting.data?.length ?? 0;
  return (
    <Page title="Approvals" lead="Everything that waits for a person. The first answer counts.">
      <div className="approvals-bar">
        <nav className="pills" aria-label="Filter by status">
          <Link
            className="pill"
            to="/approvals"
            search={{}}
            activeOptions={{ exact: true }}
            aria-current={show ? undefined : "page"}
          >
            Waiting
            {count > 0 && <span className="pill-count">{count}</span>}
          </Link>
          <Link
            className="pill"
            to="/approvals"
            search={{ show: "all" }}
            activeOptions={{ exact: true }}
            aria-current={show ? "page" : undefined}
          >
            All
          </Link>
        </nav>
        {show === undefined && count > 0 && (
          <p className="approvals-keys" aria-hidden="true">
            <kbd>J</kbd> <kbd>K</kbd> move <kbd>A</kbd> approve <kbd>R</kbd> reject
          </p>
        )}
      </div>
      {show === "all" ? <AnsweredList /> : <WaitingList />}
    </Page>
  );
}

function WaitingList(): ReactElement {
  const waiting = useQuery(waitingQuery);
  const approvals = waiting.data ?? [];
  const { selected, mode, setMode, cards } = useInbox(approvals);
  if (waiting.isPending) return <Loading />;
  if (waiting.isError) return <ProblemNotice error={waiting.error} onRetry={() => void waiting.refetch()} />;
  if (approvals.length === 0) {
    return (
      <section className="panel">
        <EmptyState title="Nothing waits for you" picture={<StateGlyph look={atRest} size={44} />}>
          <p>
            A question comes here when a workflow has an approval step, when policy says <code>ask</code>, or
            when the end of an action was lost. The same list in a terminal:
          </p>
          <CommandLine command="npx homeostat approvals" />
        </EmptyState>
      </section>
    );
  }
  return (
    <div className="stack">
      {approvals.map((approval) => (
        <ApprovalCard
          key={approval.id}
          approval={approval}
          isSelected={approval.id === selected?.id}
          mode={approval.id === selected?.id ? mode : "idle"}
          onMode={(next) => setMode(approval.id, next)}
          ref={(element) => {
            if (element === null) cards.delete(approval.id);
            else cards.set(approval.id, element);
          }}
        />
      ))}
    </div>
  );
}

interface Inbox {
  readonly selected: Approval | undefined;
  readonly mode: DecisionMode;
  readonly setMode: (id: string, mode: DecisionMode) => void;
  readonly cards: Map<string, HTMLElement>;
}

/** Which question is in hand, and what the keys do with it. Answering one moves on to the next. */
function useInbox(approvals: readonly Approval[]): Inbox {
  const { id: wanted } = route.useSearch();
  const [state, setState] = useState<{
    readonly index: number;
    readonly id: string | undefined;
    readonly mode: DecisionMode;
  }>({
    index: 0,
    id: wanted,
    mode: "idle",
  });
  const cards = useRef(new Map<string, HTMLElement>()).current;
  const found = approvals.findIndex((approval) => approval.id === state.id);
  const at = found === -1 ? Math.min(state.index, approvals.length - 1) : found;
  const selected = approvals[at];
  const move = (by: number): void => {
    const index = Math.max(0, Math.min(approvals.length - 1, at + by));
    const next = approvals[index];
    setState({ index, id: next?.id, mode: "idle" });
    const card = next === undefined ? undefined : cards.get(next.id);
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: "nearest" });
  };
  const setMode = (id: string, mode: DecisionMode): void => {
    setState({ index: approvals.findIndex((approval) => approval.id === id), id, mode });
  };
  const approve = (): void => {
    if (selected === undefined) return;
    if (selected.kind === "outcome")
      cards.get(selected.id)?.querySelector<HTMLElement>(".outcome button")?.focus();
    // One stray key must not do something dangerous: the first press only arms.
    else if (selected.risk === "high" && state.mode !== "confirm") setMode(selected.id, "confirm");
    else setMode(selected.id, "approve");
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    a: approve,
    r: () => {
      if (selected !== undefined && selected.kind !== "outcome") setMode(selected.id, "reject");
    },
    Escape: () => {
      if (selected !== undefined) setMode(selected.id, "idle");
    },
  });
  useEffect(() => {
    if (wanted !== undefined) cards.get(wanted)?.scrollIntoView({ block: "start" });
  }, [wanted, cards, approvals.length]);
  return { selected, mode: found === -1 ? "idle" : state.mode, setMode, cards };
}
