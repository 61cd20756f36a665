/** State signs that differ by shape, and the badge that puts one beside its word. */
import type { ReactElement, ReactNode } from "react";
import type { GlyphName, StateLook } from "./state.ts";
import "./state-glyph.css";

const octagon = "M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4Z";

const drawings: Readonly<Record<GlyphName, ReactNode>> = {
  dotted: <circle cx="8" cy="8" r="5.6" strokeDasharray="1.6 2.8" />,
  ring: <circle cx="8" cy="8" r="5.6" />,
  arc: (
    <>
      <circle cx="8" cy="8" r="5.6" className="glyph-track" />
      <path className="glyph-spin" d="M8 2.4A5.6 5.6 0 0 1 13.6 8" />
      <circle cx="8" cy="8" r="1.9" fill="currentColor" stroke="none" />
    </>
  ),
  turning: (
    <>
      <path d="M13.3 8A5.3 5.3 0 1 1 11.6 4.1" />
      <path d="M13.5 2.2v2.9h-2.9" />
    </>
  ),
  diamond: (
    <>
      <path d="M8 1.6 14.4 8 8 14.4 1.6 8Z" />
      <path d="M8 5.4v3M8 10.5v.1" />
    </>
  ),
  check: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m5.3 8.2 1.9 1.9 3.5-4" />
    </>
  ),
  octagon: (
    <>
      <path d={octagon} fill="currentColor" stroke="none" />
      <path className="glyph-cut" d="m5.8 5.8 4.4 4.4M10.2 5.8l-4.4 4.4" />
    </>
  ),
  square: (
    <>
      <rect x="2.2" y="2.2" width="11.6" height="11.6" rx="2.2" fill="currentColor" stroke="none" />
      <path className="glyph-cut" d="M5 8h6" />
    </>
  ),
  slash: (
    <>
      <circle cx="8" cy="8" r="5.6" />
      <path d="m4.2 11.8 7.6-7.6" />
    </>
  ),
  skip: <path d="m3.4 4 4 4-4 4M8.6 4l4 4-4 4" />,
  shield: (
    <>
      <path
        d="M8 1.5 13.4 3.4v4.2c0 3.3-2.2 5.7-5.4 6.9-3.2-1.2-5.4-3.6-5.4-6.9V3.4Z"
        fill="currentColor"
        stroke="none"
      />
      <path className="glyph-cut" d="M5.2 7.8h5.6" />
    </>
  ),
};

interface GlyphProps {
  readonly look: StateLook;
  readonly size?: number;
  /** Read out instead of the picture; leave out when the word stands beside it. */
  readonly label?: string;
}

export function StateGlyph({ look, size = 16, label }: GlyphProps): ReactElement {
  return (
    <svg
      className="glyph"
      data-tone={look.tone}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
    >
      {drawings[look.glyph]}
    </svg>
  );
}

export function StateBadge({
  look,
  children,
}: {
  readonly look: StateLook;
  readonly children?: ReactNode;
}): ReactElement {
  return (
    <span className="chip" data-tone={look.tone}>
      <StateGlyph look={look} size={13} />
      {children ?? look.label}
    </span>
  );
}
