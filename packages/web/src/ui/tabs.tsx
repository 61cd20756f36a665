/** Views of one thing, each with its own address. Links in a nav, because each view is a place to come back to. */
import type { ReactElement, ReactNode } from "react";

/** Children are router links with `className="tab"`. */
export function Tabs({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <nav className="tabs" aria-label={label}>
      {children}
    </nav>
  );
}
