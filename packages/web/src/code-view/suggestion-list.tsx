/** What may stand at the caret, to choose with arrows or the pointer while the field keeps the focus. */
import { useEffect, useRef, type KeyboardEvent, type ReactElement } from "react";

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

/** A list that is shown: at which caret, and which item is in hand. */
export interface OpenSuggestions extends Suggestions {
  readonly at: number;
  readonly current: number;
}

interface ListProps {
  readonly id: string;
  readonly open: OpenSuggestions;
  readonly text: string;
  readonly onTake: (choice: Suggestion) => void;
}

export function SuggestionList({ id, open, text, onTake }: ListProps): ReactElement {
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

export interface ListActions {
  readonly take: (choice: Suggestion, open: OpenSuggestions) => void;
  readonly close: () => void;
  readonly move: (current: number) => void;
}

/** True when the key was for the list. */
export function pressInList(
  event: KeyboardEvent,
  open: OpenSuggestions,
  { take, close, move }: ListActions,
): boolean {
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
