/** Plain tables for people: columns as wide as their widest cell, the last one cut to the terminal. Pure. */

/** `columns` is the terminal's width; undefined cuts nothing. No rows give the header alone. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  columns?: number,
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ""))));
  return all
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === row.length - 1
          ? cell
          : cell + " ".repeat(Math.max(0, widths[column]! - displayWidth(cell))),
      );
      return cut(cells.join("  ").trimEnd(), columns);
    })
    .join("\n");
}

/** One text on one line, control characters made visible: what a run says cannot move the cursor. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** At most `columns` characters, the last of them an ellipsis when something was left out. */
export function cut(text: string, columns: number | undefined): string {
  if (columns === undefined || displayWidth(text) <= columns) return text;
  return `${[...text].slice(0, Math.max(0, columns - 1)).join("")}…`;
}

function displayWidth(text: string): number {
  return [...text].length;
}
