/** The mark: a disturbance that settles inside a ring. What a homeostat does, in one line. */
import type { ReactElement } from "react";

export function Logo({ size = 24 }: { readonly size?: number }): ReactElement {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d="M21.6 9.9A10 10 0 1 0 21.6 14.1" stroke="var(--accent)" strokeWidth="2" />
      <path
        d="M5.6 12c.9 0 1.3-5.4 2.7-5.4 1.7 0 1.7 9.2 3.4 9.2 1.4 0 1.5-5.8 2.8-5.8 1 0 1.1 2 2.1 2h6"
        stroke="currentColor"
        strokeWidth="1.8"
      />
    </svg>
  );
}
