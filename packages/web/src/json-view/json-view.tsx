/** Any JSON value as a readable tree. Nothing is hidden at first sight except the tail of very long texts and lists. */
import { useState, type ReactElement, type ReactNode } from "react";
import { CopyButton } from "../ui/copy-button.tsx";
import { foldText, isPlainObject, isShortList } from "./json-shape.ts";
import "./json-view.css";

interface Props {
  readonly value: unknown;
  /** Names the value for the copy button, for example "arguments". */
  readonly what: string;
  /** Said when the value is null, undefined or empty. */
  readonly emptyText?: string;
}

export function JsonView({ value, what, emptyText = "None" }: Props): ReactElement {
  if (isNothing(value)) return <p className="json-empty">{emptyText}</p>;
  return (
    <div className="json" role="group" aria-label={what}>
      <div className="json-tree">
        <Value value={value} depth={0} />
      </div>
      <div className="json-copy">
        <CopyButton text={JSON.stringify(value, null, 2)} what={what} />
      </div>
    </div>
  );
}

function Value({ value, depth }: { readonly value: unknown; readonly depth: number }): ReactElement {
  if (typeof value === "string") return <Text text={value} />;
  if (Array.isArray(value)) {
    if (value.length === 0) return <span className="json-mark">empty list</span>;
    if (isShortList(value)) return <ShortList items={value} />;
    return <Entries entries={value.map((item, index) => [String(index), item])} depth={depth} isList />;
  }
  if (isPlainObject(value)) {
    const entries = Object.entries(value);
    if (entries.length === 0) return <span className="json-mark">empty object</span>;
    return <Entries entries={entries} depth={depth} isList={false} />;
  }
  return <span className={`json-${value === null ? "mark" : typeof value}`}>{String(value)}</span>;
}

interface EntriesProps {
  readonly entries: readonly (readonly [string, unknown])[];
  readonly depth: number;
  readonly isList: boolean;
}

const entriesAtOnce = 24;
const openDepth = 4;

function Entries({ entries, depth, isList }: EntriesProps): ReactElement {
  const [shown, setShown] = useState(depth >= openDepth ? 0 : entriesAtOnce);
  const rest = entries.length - shown;
  return (
    <ul className="json-entries" data-nested={depth > 0}>
      {entries.slice(0, shown).map(([name, item]) => (
        <li key={name} data-block={isBlock(item)}>
          <span className={isList ? "json-index" : "json-key"}>{name}</span>
          <Value value={item} depth={depth + 1} />
        </li>
      ))}
      {rest > 0 && (
        <li>
          <More onClick={() => setShown(entries.length)}>
            {shown === 0 ? `Show ${rest} ${isList ? "items" : "fields"}` : `Show ${rest} more`}
          </More>
        </li>
      )}
    </ul>
  );
}

function ShortList({ items }: { readonly items: readonly unknown[] }): ReactElement {
  return (
    <span className="json-short">
      {items.map((item, index) => (
        <span key={index}>
          <Value value={item} depth={0} />
          {index < items.length - 1 && <span className="json-mark">,</span>}
        </span>
      ))}
    </span>
  );
}

function Text({ text }: { readonly text: string }): ReactElement {
  const [isOpen, setOpen] = useState(false);
  if (text === "") return <span className="json-mark">empty text</span>;
  const folded = foldText(text);
  if (folded.kind === "line") return <span className="json-string">{text}</span>;
  return (
    <div className="json-block">
      <pre tabIndex={0} aria-label="Text">
        {isOpen ? text : folded.start}
      </pre>
      {folded.rest !== null && (
        <More onClick={() => setOpen(!isOpen)}>{isOpen ? "Show less" : `Show all, ${folded.rest}`}</More>
      )}
    </div>
  );
}

function More({
  onClick,
  children,
}: {
  readonly onClick: () => void;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <button type="button" className="json-more" onClick={onClick}>
      {children}
    </button>
  );
}

function isBlock(value: unknown): boolean {
  if (typeof value === "string") return foldText(value).kind === "block";
  if (Array.isArray(value)) return value.length > 0 && !isShortList(value);
  return isPlainObject(value) && Object.keys(value).length > 0;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (isPlainObject(value) && Object.keys(value).length === 0);
}
