/** Puts the caret of a text field at a line and column and brings it into sight. */

/** Both count from 1; places beyond the text mean its end. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0);
  return Math.min(text.length, before + Math.min(column - 1, lines[line - 1]?.length ?? 0));
}

export function goToLine(field: HTMLTextAreaElement, line: number, column: number): void {
  const at = offsetOf(field.value, line, column);
  field.focus({ preventScroll: true });
  field.setSelectionRange(at, at);
  const box = field.parentElement;
  const lineHeight = Number.parseFloat(getComputedStyle(field).lineHeight);
  if (box !== null) box.scrollTop = (line - 1) * lineHeight - box.clientHeight / 3;
}
