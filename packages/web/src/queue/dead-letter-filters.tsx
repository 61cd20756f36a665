/** Narrows the dead letters: by what they died of, in which workflow, and when. The address keeps the choice. */
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { DeadLetters } from "../api/operations-calls.ts";
import { Icon } from "../ui/icon.tsx";
import { diedWithin, withinLabels } from "./died-within.ts";

const route = getRouteApi("/queue");
const mostShown = 8;

export function DeadLetterFilters({ groups }: { readonly groups: DeadLetters["groups"] }): ReactElement {
  const search = route.useSearch();
  const { workflow, code, within, ...rest } = search;
  const isNarrowed = workflow !== undefined || code !== undefined;
  return (
    <div className="letter-filters">
      <nav className="pills" aria-label="Filter by time of death">
        {[undefined, ...diedWithin].map((each) => {
          const { within: _, ...others } = search;
          return (
            <Link
              key={each ?? "any"}
              className="pill"
              to="/queue"
              search={each === undefined ? others : { ...others, within: each }}
              activeOptions={{ exact: true }}
              aria-current={within === each ? "page" : undefined}
            >
              {each === undefined ? "Any time" : withinLabels[each]}
            </Link>
          );
        })}
      </nav>
      {isNarrowed && (
        <Link
          className="chip"
          data-tone="accent"
          to="/queue"
          search={within === undefined ? rest : { ...rest, within }}
        >
          {[workflow, code].filter((part) => part !== undefined).join(" · ")}
          <Icon name="cross" size={11} />
          <span className="visually-hidden">Show every workflow and error</span>
        </Link>
      )}
      {!isNarrowed && groups.length > 1 && (
        <ul className="letter-groups" aria-label="By workflow and error">
          {groups.slice(0, mostShown).map((group) => (
            <li key={`${group.workflow} ${group.code}`}>
              <Link
                className="chip"
                to="/queue"
                search={{ ...search, workflow: group.workflow, code: group.code }}
              >
                {group.workflow} · {group.code} <strong>{group.count}</strong>
              </Link>
            </li>
          ))}
          {groups.length > mostShown && (
            <li className="quiet small">and {groups.length - mostShown} kinds more</li>
          )}
        </ul>
      )}
    </div>
  );
}
