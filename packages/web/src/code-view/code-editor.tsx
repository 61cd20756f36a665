/** A text field with line numbers for pasting YAML; it grows with its text and the box around it scrolls. */
import type { ReactElement, Ref } from "react";
import type { LineMark } from "./code-view.tsx";
import "./code-view.css";

interface Props {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly label: string;
  readonly placeholder?: string;
  readonly marks?: readonly LineMark[];
  readonly minLines?: number;
  readonly ref?: Ref<HTMLTextAreaElement>;
}

export function CodeEditor(props: Props): ReactElement {
  const { value, onChange, label, placeholder, marks = [], minLines = 14, ref } = props;
  const count = Math.max(minLines, value.split("\n").length + 1);
  return (
    <div className="editor">
      <ol className="editor-numbers" aria-hidden="true">
        {Array.from({ length: count }, (_, index) => {
          const mark = marks.find((candidate) => candidate.line === index + 1);
          return (
            <li key={index} data-tone={mark?.tone} title={mark?.text}>
              {index + 1}
            </li>
          );
        })}
      </ol>
      <textarea
        ref={ref}
        className="editor-text"
        aria-label={label}
        value={value}
        placeholder={placeholder}
        rows={count}
        wrap="off"
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}
