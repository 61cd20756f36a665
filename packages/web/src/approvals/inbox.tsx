/** What waits: a list beside the question in hand, walked by J and K; narrow windows show one of the two. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useRef, useState, type ReactElement, type RefObject } from "react";
import type { Approval } from "../api/contract.ts";
import { waitingQuery } from "../api/queries.ts";
import { useKeys } from "../shell/keys.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { ApprovalCard, useMayAnswer } from "./approval-card.tsx";
import { closedBecause, type DecisionMode } from "./decision-mode.ts";
import { InboxRow } from "./inbox-row.tsx";

const route = getRouteApi("/approvals");
const atRest = { label: "", tone: "done", glyph: "check" } as const;

export function Inbox(): ReactElement {
  const waiting = useQuery(waitingQuery);
  if (waiting.isPending) return <Loading />;
  if (waiting.isError) return <ProblemNotice error={waiting.error} onRetry={() => void waiting.refetch()} />;
  if (waiting.data.length > 0) return <Questions approvals={waiting.data} />;
  return (
    <section className="panel">
      <EmptyState title="Nothing waits for you" picture={<StateGlyph look={atRest} size={44} />}>
        <p>
          A question comes here when a workflow has an approval step, when policy says <code>ask</code>, or
          when the end of an action was lost. The same list in a terminal:
        </p>
        <CommandLine command="homeostat approvals" />
      </EmptyState>
    </section>
  );
}

function Questions({ approvals }: { readonly approvals: readonly Approval[] }): ReactElement {
  const { id } = route.useSearch();
  const { selected, select } = useSelected(approvals);
  const isOne = approvals.length === 1;
  const list = useRef<HTMLUListElement>(null);
  return (
    <div className="inbox" data-open={id !== undefined || isOne} data-one={isOne}>
      {!isOne && (
        <ul className="panel inbox-list" aria-label="Questions that wait" ref={list}>
          {approvals.map((approval) => (
            <InboxRow
              key={approval.id}
              approval={approval}
              isSelected={approval.id === selected?.id}
              onChoose={() => void select(approval.id)}
            />
          ))}
        </ul>
      )}
      {selected !== undefined && (
        <div className="inbox-detail">
          {!isOne && (
            <Button look="plain" onClick={() => void select(undefined)}>
              All {approvals.length} questions
            </Button>
          )}
          <InHand key={selected.id} approval={selected} approvals={approvals} onSelect={select} list={list} />
        </div>
      )}
    </div>
  );
}

/** The question the address names; else the first. The one after an answered question takes its place. */
function useSelected(approvals: readonly Approval[]): {
  readonly selected: Approval | undefined;
  /** Resolves when it is on screen. */
  readonly select: (id: string | undefined) => Promise<void>;
} {
  const { id } = route.useSearch();
  const navigate = route.useNavigate();
  const lastIndex = useRef(0);
  const found = approvals.findIndex((approval) => approval.id === id);
  const index = found === -1 ? Math.min(lastIndex.current, approvals.length - 1) : found;
  useEffect(() => {
    lastIndex.current = index;
  }, [index]);
  const select = (next: string | undefined): Promise<void> =>
    navigate({ search: next === undefined ? {} : { id: next }, replace: true, resetScroll: false });
  return { selected: approvals[index], select };
}

interface InHandProps {
  readonly approval: Approval;
  readonly approvals: readonly Approval[];
  readonly onSelect: (id: string | undefined) => Promise<void>;
  readonly list: RefObject<HTMLUListElement | null>;
}

/** The question in hand and what the keys do with it. */
function InHand({ approval, approvals, onSelect, list }: InHandProps): ReactElement {
  const [mode, setMode] = useState<DecisionMode>("idle");
  const card = useRef<HTMLElement>(null);
  const may = useMayAnswer(approval);
  const announce = useAnnounce();
  const move = (by: number): void => {
    const at = approvals.findIndex(({ id }) => id === approval.id);
    const next = approvals[Math.max(0, Math.min(approvals.length - 1, at + by))];
    if (next === undefined) return;
    void onSelect(next.id);
    list.current?.querySelector(`[data-id="${next.id}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const open = (wanted: DecisionMode): void => {
    if (approval.kind === "outcome" && wanted !== "hand-on") {
      card.current?.querySelector<HTMLElement>(".outcome button")?.focus();
      return;
    }
    const closed = closedBecause(wanted, approval, may);
    if (closed === null) setMode(wanted);
    else announce(closed, { tone: "waiting" });
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: () => {
      void onSelect(approval.id).then(() => {
        card.current?.focus();
        card.current?.scrollIntoView({ block: "nearest" });
      });
    },
    // One stray key must not do something dangerous: the first press only arms.
    a: () => open(approval.risk === "high" && mode !== "confirm" ? "confirm" : "approve"),
    r: () => open("reject"),
    e: () => open("edit"),
    m: () => open("remember"),
    d: () => open("hand-on"),
    Escape: () => (mode === "idle" ? void onSelect(undefined) : setMode("idle")),
  });
  return <ApprovalCard approval={approval} mode={mode} onMode={setMode} ref={card} />;
}
