/** Everything that waits for a person, and what became of the rest: answers, remembered answers, delegations. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { waitingQuery } from "../api/queries.ts";
import { Page } from "../ui/page.tsx";
import { AnsweredList } from "./answered-list.tsx";
import { DelegationList } from "./delegation-list.tsx";
import { Inbox } from "./inbox.tsx";
import type { InboxView } from "./inbox-views.ts";
import { RememberedList } from "./remembered-list.tsx";
import "./approvals-page.css";

const route = getRouteApi("/approvals");

const tabs: readonly { readonly view: InboxView | undefined; readonly label: string }[] = [
  { view: undefined, label: "Waiting" },
  { view: "all", label: "Answered" },
  { view: "remembered", label: "Remembered" },
  { view: "delegations", label: "Delegations" },
];

const keyHelp: readonly (readonly [string, string])[] = [
  ["J", ""],
  ["K", "move"],
  ["A", "approve"],
  ["R", "reject"],
  ["E", "edit"],
  ["M", "remember"],
  ["D", "hand on"],
];

export function ApprovalsPage(): ReactElement {
  const { show } = route.useSearch();
  const count = useQuery(waitingQuery).data?.length ?? 0;
  return (
    <Page title="Approvals" lead="Everything that waits for a person. The first answer counts.">
      <div className="approvals-bar">
        <nav className="pills" aria-label="Views of approvals">
          {tabs.map(({ view, label }) => (
            <Link
              key={label}
              className="pill"
              to="/approvals"
              search={view === undefined ? {} : { show: view }}
              activeOptions={{ exact: true }}
              aria-current={show === view ? "page" : undefined}
            >
              {label}
              {view === undefined && count > 0 && <span className="pill-count">{count}</span>}
            </Link>
          ))}
        </nav>
        {show === undefined && count > 0 && (
          <p className="approvals-keys" aria-hidden="true">
            {keyHelp.map(([key, meaning]) => (
              <span key={key}>
                <kbd>{key}</kbd> {meaning}
              </span>
            ))}
          </p>
        )}
      </div>
      {show === undefined && <Inbox />}
      {show === "all" && <AnsweredList />}
      {show === "remembered" && <RememberedList />}
      {show === "delegations" && <DelegationList />}
    </Page>
  );
}
