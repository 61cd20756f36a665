/** Read-only text with line numbers, marks beside lines and one line that can be pointed at. */
import { useEffect, useMemo, useRef, type ReactElement } from "react";
import type { Tone } from "../ui/state.ts";
import { tintYaml } from "./tint.ts";
import "./code-view.css";

export interface LineMark {
  readonly line: number;
  readonly tone: Tone;
  /** Read out and shown on hover. */
  readonly text: string;
}

interface Props {
  readonly text: string;
  readonly label: string;
  readonly marks?: readonly LineMark[];
  /** Scrolled to and highlighted. */
  readonly line?: number;
  readonly maxHeight?: number;
}

export function CodeView({ text, label, marks = [], line, maxHeight = 640 }: Props): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => text.replace(/\n$/, "").split("\n").map(tintYaml), [text]);
  useEffect(() => {
    if (line === undefined) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-line="${line}"]`);
    if (row && box.current) box.current.scrollTop = row.offsetTop - box.current.clientHeight / 3;
  }, [line, text]);
  return (
    <div className="code" ref={box} tabIndex={0} role="region" aria-label={label} style={{ maxHeight }}>
      <ol className="code-lines">
        {lines.map((parts, index) => {
          const mark = marks.find((candidate) => candidate.line === index + 1);
          return (
            <li
              key={index}
              className="code-line"
              data-line={index + 1}
              data-current={line === index + 1}
              data-tone={mark?.tone}
              title={mark?.text}
            >
              <span className="code-number" aria-hidden="true">
                {index + 1}
              </span>
              <code>
                {parts.map((part, at) => (
                  <span key={at} className={`code-${part.kind}`}>
                    {part.text}
                  </span>
                ))}
                {parts.length === 0 && "\n"}
              </code>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
