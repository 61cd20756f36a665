/** What a page shows when there is nothing yet: why, and the command or button that changes it. */
import type { ReactElement, ReactNode } from "react";
import "./empty-state.css";

interface Props {
  readonly title: string;
  readonly children: ReactNode;
  readonly picture?: ReactNode;
}

export function EmptyState({ title, children, picture }: Props): ReactElement {
  return (
    <section className="empty">
      {picture}
      <h2>{title}</h2>
      <div className="empty-body">{children}</div>
    </section>
  );
}
