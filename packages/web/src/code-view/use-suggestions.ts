/** The list of suggestions of an editor: when it opens and closes, and what keys do. */
import { useState, type KeyboardEvent, type RefObject } from "react";
import { pressInList, type OpenSuggestions, type Suggestion, type Suggestions } from "./suggestion-list.tsx";
import { indentAfter, typeText } from "./type-text.ts";

interface Options {
  readonly value: string;
  readonly suggest: (text: string, offset: number) => Suggestions | undefined;
  readonly fieldRef: RefObject<HTMLTextAreaElement | null>;
}

export interface SuggestionsHandle {
  readonly open: OpenSuggestions | null;
  /** After typing: opens the list when there is something worth showing at the caret. */
  readonly look: (text: string, at: number) => void;
  readonly take: (choice: Suggestion, open: OpenSuggestions) => void;
  readonly press: (event: KeyboardEvent<HTMLTextAreaElement>) => void;
  /** The caret stands here now. */
  readonly moved: (at: number) => void;
  readonly close: () => void;
}

export function useSuggestions({ value, suggest, fieldRef }: Options): SuggestionsHandle {
  const [open, setOpen] = useState<OpenSuggestions | null>(null);
  const close = (): void => setOpen(null);
  const show = (text: string, at: number, isForced: boolean): void => {
    const found = suggest(text, at);
    const isWorth =
      found !== undefined &&
      found.items.length > 0 &&
      (isForced || found.from < at || /[:,[{] $/.test(text.slice(0, at)));
    setOpen(isWorth ? { ...found, at, current: 0 } : null);
  };
  const take = (choice: Suggestion, { from, at }: OpenSuggestions): void => {
    close();
    if (fieldRef.current !== null) typeText(fieldRef.current, { from, to: at, text: choice.insert });
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    const field = event.currentTarget;
    if ((event.ctrlKey || event.metaKey) && event.key === " ") {
      event.preventDefault();
      return show(value, field.selectionStart, true);
    }
    const move = (current: number): void => setOpen(open === null ? null : { ...open, current });
    if (open !== null && pressInList(event, open, { take, close, move })) return;
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    const { selectionStart: from, selectionEnd: to } = field;
    typeText(field, { from, to, text: `\n${indentAfter(value, from)}` });
  };
  return {
    ...{ open, take, press, close },
    look: (text, at) => show(text, at, false),
    moved: (at) => {
      if (open !== null && at !== open.at) close();
    },
  };
}
