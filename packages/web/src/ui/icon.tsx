/** The dashboard's own line icons, drawn on a 16-unit grid with one stroke width. */
import type { ReactElement, ReactNode } from "react";

const shapes = {
  runs: <path d="M2.2 4h6.2M5.4 8h7.4M8.4 12h5.4" />,
  approvals: (
    <>
      <path d="M8 1.9 14.1 8 8 14.1 1.9 8Z" />
      <path d="m5.7 8.1 1.7 1.7 2.9-3.3" />
    </>
  ),
  plus: <path d="M8 3.2v9.6M3.2 8h9.6" />,
  artifacts: (
    <>
      <rect x="2.2" y="2.7" width="11.6" height="10.6" rx="2" />
      <circle cx="5.7" cy="6.2" r="1.1" />
      <path d="m2.6 11.6 3-2.7 2.3 1.9 2.7-3 3 3" />
    </>
  ),
  ledger: (
    <>
      <circle cx="8" cy="3.4" r="1.6" />
      <circle cx="3.8" cy="12.4" r="1.6" />
      <circle cx="12.2" cy="12.4" r="1.6" />
      <path d="M8 5v2.7M3.8 10.8V9.6c0-1.1.8-1.9 1.9-1.9h4.6c1.1 0 1.9.8 1.9 1.9v1.2" />
    </>
  ),
  queue: (
    <>
      <rect x="2.2" y="2.4" width="11.6" height="3" rx="1.2" />
      <rect x="2.2" y="6.6" width="8.4" height="3" rx="1.2" />
      <rect x="2.2" y="10.8" width="5.2" height="3" rx="1.2" />
    </>
  ),
  edit: <path d="m10.4 3 2.6 2.6-7.4 7.4-3.2.6.6-3.2Z" />,
  bin: <path d="M2.8 4.4h10.4M6.2 4.2V2.6h3.6v1.6M4 4.6l.7 8.8h6.6l.7-8.8M6.8 7v4M9.2 7v4" />,
  more: (
    <>
      <circle cx="3.4" cy="8" r="1" />
      <circle cx="8" cy="8" r="1" />
      <circle cx="12.6" cy="8" r="1" />
    </>
  ),
  policy: <path d="M8 1.9 13 3.7v4c0 3.1-2 5.3-5 6.4-3-1.1-5-3.3-5-6.4v-4Z" />,
  system: (
    <>
      <path d="M3.4 12.6a6.1 6.1 0 1 1 9.2 0" />
      <path d="m8 8.9 2.5-3.1" />
      <circle cx="8" cy="9.4" r=".9" />
    </>
  ),
  sun: (
    <>
      <circle cx="8" cy="8" r="2.8" />
      <path d="M8 1.6v1.5M8 12.9v1.5M1.6 8h1.5M12.9 8h1.5M3.5 3.5l1 1M11.5 11.5l1 1M12.5 3.5l-1 1M4.5 11.5l-1 1" />
    </>
  ),
  moon: <path d="M13.4 9.7A5.8 5.8 0 0 1 6.3 2.6a5.8 5.8 0 1 0 7.1 7.1Z" />,
  auto: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      <path d="M8 2.2a5.8 5.8 0 0 1 0 11.6Z" fill="currentColor" stroke="none" />
    </>
  ),
  copy: (
    <>
      <rect x="5.6" y="5.6" width="8" height="8" rx="1.6" />
      <path d="M10.4 3.2A1.6 1.6 0 0 0 8.9 2.4H4a1.6 1.6 0 0 0-1.6 1.6v4.9c0 .7.4 1.2.9 1.4" />
    </>
  ),
  check: <path d="m3.2 8.4 3.2 3.3 6.4-7.2" />,
  cross: <path d="m4 4 8 8M12 4l-8 8" />,
  right: <path d="m6 3.6 4.4 4.4L6 12.4" />,
  down: <path d="M3.6 6 8 10.4 12.4 6" />,
  pause: <path d="M5.6 3.4v9.2M10.4 3.4v9.2" />,
  play: <path d="M5 3.1v9.8L12.6 8Z" />,
  stop: <rect x="3.9" y="3.9" width="8.2" height="8.2" rx="1.4" />,
  retry: (
    <>
      <path d="M13.2 8A5.2 5.2 0 1 1 11.5 4.2" />
      <path d="M13.4 2.2v2.9h-2.9" />
    </>
  ),
  download: <path d="M8 2.4v7.4M4.9 7 8 10.1 11.1 7M2.8 13.2h10.4" />,
  upload: <path d="M8 10V2.6M4.9 5.7 8 2.6l3.1 3.1M2.8 13.2h10.4" />,
  file: (
    <>
      <path d="M4.4 1.9h4.7l3.3 3.3v7.4a1.5 1.5 0 0 1-1.5 1.5H4.4a1.5 1.5 0 0 1-1.5-1.5V3.4a1.5 1.5 0 0 1 1.5-1.5Z" />
      <path d="M8.9 2.1v3.3h3.3" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.6" />
      <path d="m10.5 10.5 3.2 3.2" />
    </>
  ),
  warning: (
    <>
      <path d="M8 2.2 14.4 13.4H1.6Z" />
      <path d="M8 6.4v3.2M8 11.5v.1" />
    </>
  ),
  info: (
    <>
      <circle cx="8" cy="8" r="5.9" />
      <path d="M8 7.3v3.6M8 5.1v.1" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="5.9" />
      <path d="M8 4.6V8l2.3 1.7" />
    </>
  ),
  external: (
    <path d="M6.6 3.4H4A1.6 1.6 0 0 0 2.4 5v7A1.6 1.6 0 0 0 4 13.6h7a1.6 1.6 0 0 0 1.6-1.6V9.4M9.4 2.4h4.2v4.2M13.4 2.6 7.6 8.4" />
  ),
  key: (
    <>
      <circle cx="5.2" cy="10.8" r="2.9" />
      <path d="m7.4 8.6 6-6M10.6 5.4l2 2" />
    </>
  ),
  signOut: (
    <path d="M6.4 2.6H4A1.6 1.6 0 0 0 2.4 4.2v7.6A1.6 1.6 0 0 0 4 13.4h2.4M10.4 5l3 3-3 3M13.2 8H6.2" />
  ),
  keyboard: (
    <>
      <rect x="1.6" y="4" width="12.8" height="8" rx="1.6" />
      <path d="M4.4 6.7v.1M7 6.7v.1M9.4 6.7v.1M11.8 6.7v.1M5 9.5h6" />
    </>
  ),
  tool: (
    <path d="M13.6 4.6a3.4 3.4 0 0 1-4.5 4.1l-4.5 4.6a1.4 1.4 0 0 1-2-2l4.6-4.5A3.4 3.4 0 0 1 11.3 2.3L9.4 4.3l.3 2 2 .3Z" />
  ),
  branch: (
    <>
      <circle cx="4.2" cy="3.6" r="1.5" />
      <circle cx="4.2" cy="12.4" r="1.5" />
      <circle cx="11.8" cy="5.4" r="1.5" />
      <path d="M4.2 5.1v5.8M11.8 6.9c0 2.2-2.1 2.6-4.1 2.8-1.9.2-3.5.6-3.5 1.2" />
    </>
  ),
  loop: (
    <path d="M11 2.4 13.4 4.8 11 7.2M13.2 4.8H5.4A2.8 2.8 0 0 0 2.6 7.6v.2M5 13.6 2.6 11.2 5 8.8M2.8 11.2h7.8a2.8 2.8 0 0 0 2.8-2.8v-.2" />
  ),
  person: (
    <>
      <circle cx="8" cy="5.2" r="2.7" />
      <path d="M2.9 13.6c.6-2.7 2.6-4 5.1-4s4.5 1.3 5.1 4" />
    </>
  ),
  set: (
    <path d="M5.6 2.6C3.8 2.6 4.8 8 2.6 8c2.2 0 1.2 5.4 3 5.4M10.4 2.6c1.8 0 .8 5.4 3 5.4-2.2 0-1.2 5.4-3 5.4" />
  ),
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

interface Props {
  readonly name: IconName;
  readonly size?: number;
}

/** Always decoration: the text beside it, or the button's label, says the meaning. */
export function Icon({ name, size = 16 }: Props): ReactElement {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.45"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {shapes[name]}
    </svg>
  );
}
