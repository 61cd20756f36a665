/** Views of one thing, each with its own address. Links in a nav, because each view is a place to come back to. */
import { useEffect, useRef, type ReactElement, type ReactNode } from "react";

/** Children are router links with `className="tab"`. */
export function Tabs({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ReactNode;
}): ReactElement {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow window the tabs scroll sideways; the current one is in sight.
    const current = nav.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (nav.current !== null && current != null)
      nav.current.scrollLeft = current.offsetLeft - nav.current.offsetLeft - 24;
  });
  return (
    <nav className="tabs" aria-label={label} ref={nav}>
      {children}
    </nav>
  );
}
