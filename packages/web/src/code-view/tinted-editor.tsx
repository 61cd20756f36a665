/** A text field for YAML with line numbers, tint, completion at the caret and help for the key under pointer or caret. */
import {
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactElement,
  type RefObject,
} from "react";
import type { LineMark } from "./code-view.tsx";
import { offsetOf } from "./go-to-line.ts";
import { tintYaml } from "./tint.ts";
import "./code-view.css";
import "./tinted-editor.css";

/** One way to go on at the caret. */
export interface Suggestion {
  readonly label: string;
  readonly help: string;
  readonly insert: string;
}

export interface Suggestions {
  /** Offset where the typed part begins. */
  readonly from: number;
  readonly items: readonly Suggestion[];
}

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

interface Open extends Suggestions {
  readonly at: number;
  readonly current: number;
}

export function TintedEditor(props: Props): ReactElement {
  const { value, onChange, label, marks, minLines = 20, suggest, explain, fieldRef } = props;
  const listId = useId();
  const helpId = useId();
  const [open, setOpen] = useState<Open | null>(null);
  const [caretHelp, setCaretHelp] = useState<string | undefined>();
  const [hover, setHover] = useState<{
    readonly text: string;
    readonly line: number;
    readonly column: number;
  } | null>(null);
  const lines = useMemo(() => value.split("\n"), [value]);
  const count = Math.max(minLines, lines.length + 1);

  const look = (text: string, at: number, isForced: boolean): void => {
    const found = suggest(text, at);
    const isWorth =
      found !== undefined &&
      found.items.length > 0 &&
      (isForced || found.from < at || /[:,[{] $/.test(text.slice(0, at)));
    setOpen(isWorth ? { ...found, at, current: 0 } : null);
  };
  const take = (choice: Suggestion, { from, at }: Open): void => {
    setOpen(null);
    if (fieldRef.current !== null) typeText(fieldRef.current, { from, to: at, text: choice.insert });
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    const field = event.currentTarget;
    if ((event.ctrlKey || event.metaKey) && event.key === " ") {
      event.preventDefault();
      look(value, field.selectionStart, true);
      return;
    }
    if (open !== null) {
      const done = pressInList(event, open, {
        take,
        close: () => setOpen(null),
        move: (current) => setOpen({ ...open, current }),
      });
      if (done) return;
    }
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    const { selectionStart: from, selectionEnd: to } = field;
    typeText(field, { from, to, text: `\n${indentAfter(value, from)}` });
  };
  const moved = (): void => {
    const field = fieldRef.current;
    if (field === null) return;
    setCaretHelp(explain(field.value, field.selectionStart));
    if (open !== null && field.selectionStart !== open.at) setOpen(null);
  };
  const point = (event: React.MouseEvent<HTMLTextAreaElement>): void => {
    const place = placeUnder(event);
    const text =
      lines[place.line] !== undefined && place.column <= lines[place.line]!.length
        ? explain(value, offsetOf(value, place.line + 1, place.column + 1))
        : undefined;
    setHover(text === undefined ? null : { text, ...place });
  };

  return (
    <div className="tinted">
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
        <div className="tinted-body">
          <Tint lines={lines} marks={marks} />
          <textarea
            ref={fieldRef}
            className="editor-text tinted-text"
            aria-label={label}
            aria-describedby={helpId}
            aria-autocomplete="list"
            aria-haspopup="listbox"
            aria-controls={open === null ? undefined : listId}
            aria-activedescendant={open === null ? undefined : `${listId}-${open.current}`}
            value={value}
            rows={count}
            wrap="off"
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            onChange={(event) => {
              onChange(event.target.value);
              look(event.target.value, event.target.selectionStart, false);
              setHover(null);
            }}
            onKeyDown={press}
            onSelect={moved}
            onMouseMove={point}
            onMouseLeave={() => setHover(null)}
            onBlur={() => setOpen(null)}
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

interface ListProps {
  readonly id: string;
  readonly open: Open;
  readonly text: string;
  readonly onTake: (choice: Suggestion) => void;
}

function SuggestionList({ id, open, text, onTake }: ListProps): ReactElement {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [open.current, open.items]);
  const before = text.slice(0, open.from).split("\n");
  const column = before.at(-1)?.length ?? 0;
  return (
    <ul
      className="suggestions"
      id={id}
      role="listbox"
      aria-label="Suggestions"
      ref={list}
      style={{ top: `calc(${before.length}lh + 12px)`, left: `min(${column}ch, calc(100% - 300px))` }}
    >
      {open.items.map((item, index) => (
        <li
          key={`${item.label}:${item.insert}`}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === open.current}
          // The field keeps the focus.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(item)}
        >
          <code>{item.label}</code>
          {item.help !== "" && <span>{item.help}</span>}
        </li>
      ))}
    </ul>
  );
}

interface ListActions {
  readonly take: (choice: Suggestion, open: Open) => void;
  readonly close: () => void;
  readonly move: (current: number) => void;
}

/** True when the key was for the list. */
function pressInList(event: KeyboardEvent, open: Open, { take, close, move }: ListActions): boolean {
  const last = open.items.length - 1;
  const chosen = open.items[open.current];
  if (event.key === "ArrowDown") move(open.current === last ? 0 : open.current + 1);
  else if (event.key === "ArrowUp") move(open.current === 0 ? last : open.current - 1);
  else if (event.key === "Escape") close();
  else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && chosen !== undefined)
    take(chosen, open);
  else return false;
  event.preventDefault();
  return true;
}

/** Spaces of the line before; two more below a key without value, and below the first key behind a dash. */
function indentAfter(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  const indent = /^\s*/.exec(line)?.[0] ?? "";
  return /^\s*- +[\w-]+:/.test(line) || /[\w-]:\s*$/.test(line) ? `${indent}  ` : indent;
}

interface Typed {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** As if typed: insertText is the one way that keeps the browser's undo. Without it the text is put in place all the same. */
function typeText(field: HTMLTextAreaElement, { from, to, text }: Typed): void {
  field.focus({ preventScroll: true });
  field.setSelectionRange(from, to);
  if (document.execCommand("insertText", false, text)) return;
  field.setRangeText(text, from, to, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Line and column under the pointer, from 0: the font has one width. */
function placeUnder({ currentTarget: field, clientX, clientY }: React.MouseEvent<HTMLTextAreaElement>) {
  const box = field.getBoundingClientRect();
  const style = getComputedStyle(field);
  const lineHeight = Number.parseFloat(style.lineHeight);
  const line = Math.floor((clientY - box.top - Number.parseFloat(style.paddingTop)) / lineHeight);
  const column = Math.floor((clientX - box.left) / signWidth(style.font));
  return { line: Math.max(0, line), column: Math.max(0, column) };
}

function signWidth(font: string): number {
  const context = document.createElement("canvas").getContext("2d");
  if (context === null) return 8;
  context.font = font;
  return context.measureText("0000000000").width / 10;
}
