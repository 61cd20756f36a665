/** Which sign of a text field in one width the pointer is over. */
import type { MouseEvent } from "react";

export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Line and column under the pointer, from 0: the font has one width. */
export function placeUnder({
  currentTarget: field,
  clientX,
  clientY,
}: MouseEvent<HTMLTextAreaElement>): TextPlace {
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
