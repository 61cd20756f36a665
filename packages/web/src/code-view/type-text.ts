/** Changes a text field as if a person typed, with the indentation that YAML wants. */

/** Spaces of the line before; two more below a key without value, and below the first key behind a dash. */
export function indentAfter(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  const indent = /^\s*/.exec(line)?.[0] ?? "";
  return /^\s*- +[\w-]+:/.test(line) || /[\w-]:\s*$/.test(line) ? `${indent}  ` : indent;
}

export interface Typed {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** As if typed: insertText is the one way that keeps the browser's undo. Without it the text is put in place all the same. */
export function typeText(field: HTMLTextAreaElement, { from, to, text }: Typed): void {
  field.focus({ preventScroll: true });
  field.setSelectionRange(from, to);
  if (document.execCommand("insertText", false, text)) return;
  field.setRangeText(text, from, to, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
