/** The frame of a page: its one h1, what it is about, and its actions. Sets the window's title. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, type ReactElement, type ReactNode } from "react";
import { waitingQuery } from "../api/queries.ts";
import "./page.css";

interface Props {
  readonly title: string;
  /** Shown instead of the title where the heading needs more than text; the title still names the window. */
  readonly heading?: ReactNode;
  readonly above?: ReactNode;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Page({ title, heading, above, lead, actions, children }: Props): ReactElement {
  const waiting = useQuery(waitingQuery).data?.length ?? 0;
  useEffect(() => {
    // The count stands first: it is what can be read in a row of tabs.
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${title} · Homeostat`;
  }, [title, waiting]);
  return (
    <div className="page">
      <header className="page-head">
        <div className="page-title">
          {above}
          <h1 tabIndex={-1}>{heading ?? title}</h1>
          {lead !== undefined && <div className="page-lead">{lead}</div>}
        </div>
        {actions !== undefined && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** Keeps the place of something that is being fetched, without moving what is around it. */
export function Loading({ lines = 4 }: { readonly lines?: number }): ReactElement {
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: lines }, (_, line) => (
        <div className="loading-line" key={line} />
      ))}
    </div>
  );
}
