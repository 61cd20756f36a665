/** Runs that gave up, by workflow and error: looked into, tried again or given up, one or many at a time. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState, type ReactElement } from "react";
import type { RunSummary } from "../api/contract.ts";
import type { DeadLetterFilter, DeadLetters, SettleAction } from "../api/operations-calls.ts";
import { deadLettersQuery } from "../api/operations-queries.ts";
import { formatCount } from "../format/quantity.ts";
import { nowMs } from "../live/now.ts";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { DeadLetterFilters } from "./dead-letter-filters.tsx";
import { DeadLetterRow } from "./dead-letter-row.tsx";
import { sinceOf } from "./died-within.ts";
import { SettleDialog } from "./settle-dialog.tsx";
import { SettledNotice } from "./settled-notice.tsx";
import { useSettle } from "./use-settle.ts";

const route = getRouteApi("/queue");

export function DeadLetterList(): ReactElement {
  const { workflow, code, within } = route.useSearch();
  // The moment from which on counts is taken once, or the list would be another one with every look.
  const filter = useMemo<DeadLetterFilter>(
    () => ({ workflow, code, since: sinceOf(within, nowMs()) }),
    [workflow, code, within],
  );
  const list = useInfiniteQuery(deadLettersQuery(filter));
  const letters = list.data?.pages.flatMap((page) => page.data) ?? [];
  const groups = list.data?.pages[0]?.groups ?? [];
  const isFiltered = workflow !== undefined || code !== undefined || within !== undefined;
  return (
    <>
      <DeadLetterFilters groups={groups} />
      {list.isPending && <Loading />}
      {list.isError && <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && letters.length === 0 && <NoLetters isFiltered={isFiltered} />}
      {letters.length > 0 && <Letters letters={letters} groups={groups} filter={filter} />}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} icon="down" onClick={() => void list.fetchNextPage()}>
          Older dead letters
        </Button>
      )}
    </>
  );
}

function NoLetters({ isFiltered }: { readonly isFiltered: boolean }): ReactElement {
  if (isFiltered) {
    return (
      <EmptyState title="No dead letter fits">
        <Link to="/queue" search={{ tab: "dead" }}>
          Show all dead letters
        </Link>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No dead letters">
      <p>
        A run whose attempts are used up comes to rest here, with its error and its history, until a person
        tries it again or gives it up. Nothing has.
      </p>
    </EmptyState>
  );
}

interface LettersProps {
  readonly letters: readonly RunSummary[];
  readonly groups: DeadLetters["groups"];
  readonly filter: DeadLetterFilter;
}

/** What is asked about before it is done; `all`: everything that fits the filter. */
interface Asked {
  readonly ids: readonly string[] | "all";
  readonly name: string;
}

function Letters({ letters, groups, filter }: LettersProps): ReactElement {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<Asked | null>(null);
  const settle = useSettle(filter, () => {
    setAsked(null);
    setChosen(new Set());
  });
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  // One that was settled elsewhere has left the list and counts no more.
  const ids = letters.filter(({ id }) => chosen.has(id)).map(({ id }) => id);
  const which = ids.length === 0 ? "all" : ids;
  const count = ids.length === 0 ? total : ids.length;
  const act = (action: SettleAction): void => {
    if (action === "retry") settle.mutate({ action, ids: which });
    else setAsked({ ids: which, name: `discard ${count}` });
  };
  return (
    <>
      {settle.data !== undefined && <SettledNotice settled={settle.data} letters={letters} />}
      {settle.isError && asked === null && <ProblemNotice error={settle.error} />}
      <section className="panel letters" aria-label="Dead letters">
        <LettersHead
          {...{ total, chosen: ids.length, isBusy: settle.isPending, onAct: act }}
          isAll={ids.length === letters.length}
          onAll={(isAll) => setChosen(new Set(isAll ? letters.map(({ id }) => id) : []))}
        />
        <ul>
          {letters.map((letter) => (
            <DeadLetterRow
              key={letter.id}
              letter={letter}
              isChosen={chosen.has(letter.id)}
              isBusy={settle.isPending}
              onChoose={(isChosen) => setChosen(withMember(chosen, letter.id, isChosen))}
              onRetry={() => settle.mutate({ action: "retry", ids: [letter.id] })}
              onDiscard={() => setAsked({ ids: [letter.id], name: letter.workflow.name })}
            />
          ))}
        </ul>
      </section>
      {asked !== null && (
        <SettleDialog
          name={asked.name}
          count={asked.ids === "all" ? total : asked.ids.length}
          error={settle.error}
          isBusy={settle.isPending}
          onClose={() => setAsked(null)}
          onConfirm={(reason) => settle.mutate({ action: "discard", ids: asked.ids, reason })}
        />
      )}
    </>
  );
}

interface HeadProps {
  readonly total: number;
  readonly chosen: number;
  readonly isAll: boolean;
  readonly isBusy: boolean;
  readonly onAll: (isAll: boolean) => void;
  readonly onAct: (action: SettleAction) => void;
}

/** With none chosen the commands are for all that fit the filter. */
function LettersHead({ total, chosen, isAll, isBusy, onAll, onAct }: HeadProps): ReactElement {
  return (
    <header className="panel-head">
      <label className="check">
        <input type="checkbox" checked={isAll} onChange={(event) => onAll(event.target.checked)} />
        {chosen === 0 ? formatCount(total, "dead letter") : `${chosen} chosen`}
      </label>
      <div className="cluster">
        <Button icon="retry" busy={isBusy} onClick={() => onAct("retry")}>
          {chosen === 0 ? `Retry all ${total}` : `Retry ${chosen}`}
        </Button>
        <Button look="danger" icon="bin" onClick={() => onAct("discard")}>
          {chosen === 0 ? `Discard all ${total}` : `Discard ${chosen}`}
        </Button>
      </div>
    </header>
  );
}

function withMember(set: ReadonlySet<string>, id: string, isIn: boolean): ReadonlySet<string> {
  const after = new Set(set);
  if (isIn) after.add(id);
  else after.delete(id);
  return after;
}
