/** What waits and why: lanes, limits and runs under way; and the dead letters that wait for a person. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { statusQuery } from "../api/queries.ts";
import { Page } from "../ui/page.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { DeadLetterList } from "./dead-letter-list.tsx";
import { QueueLevels } from "./queue-levels.tsx";
import { QueuedRuns } from "./queued-runs.tsx";
import "./queue-page.css";

const route = getRouteApi("/queue");

export function QueuePage(): ReactElement {
  const { tab } = route.useSearch();
  const dead = useQuery(statusQuery).data?.queue.counts["DEAD"] ?? 0;
  return (
    <Page title="Queue" lead="What waits, for what, and what has given up.">
      <Tabs label="Views of the queue">
        <Link
          className="tab"
          to="/queue"
          search={{}}
          activeOptions={{ exact: true }}
          aria-current={tab === undefined ? "page" : undefined}
        >
          Lanes and runs
        </Link>
        <Link
          className="tab"
          to="/queue"
          search={{ tab: "dead" }}
          activeOptions={{ exact: true }}
          aria-current={tab === "dead" ? "page" : undefined}
        >
          Dead letters
          {dead > 0 && <span className="tab-count">{dead}</span>}
        </Link>
      </Tabs>
      {tab === "dead" ? (
        <DeadLetterList />
      ) : (
        <>
          <QueueLevels />
          <QueuedRuns />
        </>
      )}
    </Page>
  );
}
