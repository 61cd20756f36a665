/** A text field for YAML with line numbers, tint, completion at the caret and help for the key under pointer or caret. */
import { useId, useMemo, useState, type MouseEvent, type ReactElement, type RefObject } from "react";
import type { LineMark } from "./code-view.tsx";
import { offsetOf } from "./go-to-line.ts";
import { placeUnder, type TextPlace } from "./place-under.ts";
import { SuggestionList, type Suggestions } from "./suggestion-list.tsx";
import { tintYaml } from "./tint.ts";
import { useSuggestions, type SuggestionsHandle } from "./use-suggestions.ts";
import "./code-view.css";
import "./tinted-editor.css";

interface Props {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly label: string;
  readonly marks: readonly LineMark[];
  readonly minLines?: number;
  /** Must be quick: asked at every key. */
  readonly suggest: (text: string, offset: number) => Suggestions | undefined;
  /** What is known of the word at the offset. */
  readonly explain: (text: string, offset: number) => string | undefined;
  readonly fieldRef: RefObject<HTMLTextAreaElement | null>;
}

interface Hover extends TextPlace {
  readonly text: string;
}

export function TintedEditor(props: Props): ReactElement {
  const { value, marks, minLines = 20, suggest, fieldRef } = props;
  const listId = useId();
  const helpId = useId();
  const [caretHelp, setCaretHelp] = useState<string | undefined>();
  const [hover, setHover] = useState<Hover | null>(null);
  const lines = useMemo(() => value.split("\n"), [value]);
  const suggestions = useSuggestions({ value, suggest, fieldRef });
  const { open, take } = suggestions;
  const count = Math.max(minLines, lines.length + 1);
  return (
    <div className="tinted">
      <div className="editor">
        <LineNumbers count={count} marks={marks} />
        <div className="tinted-body">
          <Tint lines={lines} marks={marks} />
          <Field
            {...{ props, lines, count, listId, helpId, suggestions }}
            onHelp={setCaretHelp}
            onHover={setHover}
          />
          {open !== null && (
            <SuggestionList id={listId} open={open} text={value} onTake={(choice) => take(choice, open)} />
          )}
          {open === null && hover !== null && (
            <p
              className="tinted-hover"
              aria-hidden="true"
              style={{ top: `calc(${hover.line + 1}lh + 12px)`, left: `${hover.column}ch` }}
            >
              {hover.text}
            </p>
          )}
        </div>
      </div>
      <p className="tinted-help" id={helpId}>
        {caretHelp ?? "Ctrl Space shows what may stand here; Tab leaves the field."}
      </p>
      <div className="visually-hidden" role="status">
        {open !== null && `${open.items.length} suggestions, ${open.items[open.current]?.label ?? ""}`}
      </div>
    </div>
  );
}

interface NumbersProps {
  readonly count: number;
  readonly marks: readonly LineMark[];
}

function LineNumbers({ count, marks }: NumbersProps): ReactElement {
  return (
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
  );
}

interface FieldProps {
  readonly props: Props;
  readonly lines: readonly string[];
  readonly count: number;
  readonly listId: string;
  readonly helpId: string;
  readonly suggestions: SuggestionsHandle;
  /** What is known of the word at the caret. */
  readonly onHelp: (text: string | undefined) => void;
  /** What is known of the word under the pointer. */
  readonly onHover: (hover: Hover | null) => void;
}

function Field({ props, lines, suggestions, onHelp, onHover, ...ids }: FieldProps): ReactElement {
  const { value, onChange, label, explain, fieldRef } = props;
  const { open, look, press, moved, close } = suggestions;
  const point = (event: MouseEvent<HTMLTextAreaElement>): void => {
    const place = placeUnder(event);
    const line = lines[place.line];
    const isOnText = line !== undefined && place.column <= line.length;
    const text = isOnText ? explain(value, offsetOf(value, place.line + 1, place.column + 1)) : undefined;
    onHover(text === undefined ? null : { text, ...place });
  };
  return (
    <textarea
      ref={fieldRef}
      className="editor-text tinted-text"
      aria-label={label}
      aria-describedby={ids.helpId}
      aria-autocomplete="list"
      aria-haspopup="listbox"
      aria-controls={open === null ? undefined : ids.listId}
      aria-activedescendant={open === null ? undefined : `${ids.listId}-${open.current}`}
      value={value}
      rows={ids.count}
      wrap="off"
      spellCheck={false}
      autoCapitalize="off"
      autoComplete="off"
      onChange={({ target }) => {
        onChange(target.value);
        look(target.value, target.selectionStart);
        onHover(null);
      }}
      onKeyDown={press}
      onSelect={({ currentTarget }) => {
        onHelp(explain(currentTarget.value, currentTarget.selectionStart));
        moved(currentTarget.selectionStart);
      }}
      onMouseMove={point}
      onMouseLeave={() => onHover(null)}
      onBlur={close}
    />
  );
}

function Tint({
  lines,
  marks,
}: {
  readonly lines: readonly string[];
  readonly marks: readonly LineMark[];
}): ReactElement {
  const tinted = useMemo(() => lines.map(tintYaml), [lines]);
  return (
    <pre className="tinted-picture" aria-hidden="true">
      {tinted.map((parts, index) => (
        <div key={index} data-tone={marks.find((mark) => mark.line === index + 1)?.tone}>
          {parts.map((part, at) => (
            <span key={at} className={`code-${part.kind}`}>
              {part.text}
            </span>
          ))}
          {"\n"}
        </div>
      ))}
    </pre>
  );
}
