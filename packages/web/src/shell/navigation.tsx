/** The way between pages: a rail on wide windows; on narrow ones a bar at the bottom with the rest behind More. */
import { useQuery } from "@tanstack/react-query";
import { Link, useRouterState } from "@tanstack/react-router";
import { useEffect, useId, useState, type ReactElement } from "react";
import { statusQuery, waitingQuery } from "../api/queries.ts";
import { formatCount } from "../format/quantity.ts";
import { Icon } from "../ui/icon.tsx";
import { pageEntries, type PageEntry } from "./pages.ts";

export function Navigation(): ReactElement {
  const [isOpen, setOpen] = useState(false);
  const othersId = useId();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isUnderMore = pageEntries.some((page) => !page.isAlwaysShown && page.to === path);
  const close = (): void => setOpen(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <nav
      className="nav"
      aria-label="Pages"
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <Link className="nav-new" to="/new">
        <Icon name="plus" size={15} />
        <span>
          New<span className="nav-rest"> task</span>
        </span>
      </Link>
      <PageList isAlwaysShown={true} onGo={close} />
      <div className="nav-others" id={othersId} data-open={isOpen}>
        <PageList isAlwaysShown={false} onGo={close} />
      </div>
      <button
        type="button"
        className="nav-link nav-more"
        aria-expanded={isOpen}
        aria-controls={othersId}
        data-current={isUnderMore}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name={isOpen ? "cross" : "more"} size={17} />
        <span>More</span>
      </button>
    </nav>
  );
}

interface ListProps {
  readonly isAlwaysShown: boolean;
  readonly onGo: () => void;
}

function PageList({ isAlwaysShown, onGo }: ListProps): ReactElement {
  return (
    <ul>
      {pageEntries
        .filter((page) => page.isAlwaysShown === isAlwaysShown)
        .map((page) => (
          <li key={page.to}>
            <PageLink page={page} onGo={onGo} />
          </li>
        ))}
    </ul>
  );
}

function PageLink({ page, onGo }: { readonly page: PageEntry; readonly onGo: () => void }): ReactElement {
  return (
    <Link
      className="nav-link"
      to={page.to}
      activeOptions={{ exact: page.to === "/", includeSearch: false }}
      search={{}}
      onClick={onGo}
    >
      <Icon name={page.icon} size={17} />
      <span>{page.label}</span>
      {page.to === "/approvals" && <Waiting />}
      {page.to === "/queue" && <DeadLetters />}
    </Link>
  );
}

function Waiting(): ReactElement | null {
  const waiting = useQuery(waitingQuery).data?.length ?? 0;
  return waiting === 0 ? null : (
    <span className="nav-badge">
      {waiting}
      <span className="visually-hidden"> {formatCount(waiting, "question")} waiting</span>
    </span>
  );
}

function DeadLetters(): ReactElement | null {
  const dead = useQuery(statusQuery).data?.queue.counts["DEAD"] ?? 0;
  return dead === 0 ? null : (
    <span className="nav-badge" data-tone="failed">
      {dead > 99 ? "99+" : dead}
      <span className="visually-hidden"> {formatCount(dead, "dead letter")}</span>
    </span>
  );
}
