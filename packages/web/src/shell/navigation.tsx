/** The way between pages: a rail on wide windows, a bar at the bottom on narrow ones. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { waitingQuery } from "../api/queries.ts";
import { formatCount } from "../format/quantity.ts";
import { Icon } from "../ui/icon.tsx";
import { pageEntries } from "./pages.ts";

export function Navigation(): ReactElement {
  const waiting = useQuery(waitingQuery).data?.length ?? 0;
  return (
    <nav className="nav" aria-label="Pages">
      <Link className="nav-new" to="/new">
        <Icon name="plus" size={15} />
        <span>
          New<span className="nav-rest"> task</span>
        </span>
      </Link>
      <ul>
        {pageEntries.map((page) => (
          <li key={page.to}>
            <Link
              className="nav-link"
              to={page.to}
              activeOptions={{ exact: page.to === "/", includeSearch: false }}
              {...(page.to === "/" ? { search: {} } : {})}
            >
              <Icon name={page.icon} size={17} />
              <span>{page.label}</span>
              {page.to === "/approvals" && waiting > 0 && (
                <span className="nav-badge">
                  {waiting}
                  <span className="visually-hidden"> {formatCount(waiting, "question")} waiting</span>
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
