/** Colours a line of YAML: comments, keys and `${{ }}` expressions stand out, all else stays plain. */

export interface Tinted {
  readonly kind: "comment" | "key" | "expression" | "plain";
  readonly text: string;
}

const keyPattern = /^(\s*(?:- )*)([A-Za-z_][\w.-]*|"[^"]*")(?=:(?:\s|$))/;
const expressionPattern = /\$\{\{.*?\}\}/g;

/** The texts together are the line. Works line by line, so a `#` inside a block text may look like a comment. */
export function tintYaml(line: string): Tinted[] {
  const commentAt = findComment(line);
  const code = commentAt === -1 ? line : line.slice(0, commentAt);
  const tinted: Tinted[] = [];
  const key = keyPattern.exec(code);
  let rest = code;
  if (key !== null) {
    push(tinted, "plain", key[1] ?? "");
    push(tinted, "key", key[2] ?? "");
    rest = code.slice(key[0].length);
  }
  let at = 0;
  for (const match of rest.matchAll(expressionPattern)) {
    push(tinted, "plain", rest.slice(at, match.index));
    push(tinted, "expression", match[0]);
    at = match.index + match[0].length;
  }
  push(tinted, "plain", rest.slice(at));
  if (commentAt !== -1) push(tinted, "comment", line.slice(commentAt));
  return tinted;
}

/** Where a comment starts: a `#` at the start or after white space, outside quotes; -1 for none. */
function findComment(line: string): number {
  let quote = "";
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? "";
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === '"' || (character === "'" && !/\w/.test(line[at - 1] ?? ""))) {
      quote = character;
    } else if (character === "#" && (at === 0 || /\s/.test(line[at - 1] ?? ""))) {
      return at;
    }
  }
  return -1;
}

function push(tinted: Tinted[], kind: Tinted["kind"], text: string): void {
  if (text !== "") tinted.push({ kind, text });
}
