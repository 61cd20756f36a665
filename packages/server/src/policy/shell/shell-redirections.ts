/** Reads redirections and here-documents (POSIX.1-2024, XCU 2.7). */
import { addUnknown, fail, isMeta, isProcessSubstitution, peekOperator, skipBlanks } from "./shell-reader.ts";
import type { Draft, PendingDocument, Reader } from "./shell-reader.ts";
import { hidesSubstitution } from "./shell-hidden.ts";
import { readWord } from "./shell-words.ts";

const redirecting: ReadonlySet<string> = new Set([
  "<", "<<", "<<-", "<<<", "<&", "<>", ">", ">>", ">&", ">|", "&>", "&>>",
]); // prettier-ignore

const bashOnly: ReadonlySet<string> = new Set(["<<<", "&>", "&>>"]);

export function startsRedirection(reader: Reader): boolean {
  const sign = reader.text[reader.at];
  if (sign !== "<" && sign !== ">" && sign !== "&") return false;
  if (isProcessSubstitution(reader)) return false;
  return redirecting.has(peekOperator(reader)!.text);
}

/** The reader stands at the operator. */
export function readRedirection(reader: Reader, draft: Draft): void {
  const operator = peekOperator(reader)!;
  if (reader.dialect === "posix" && bashOnly.has(operator.text)) {
    fail(reader, `\`${operator.text}\` means different things in different shells`);
  }
  reader.at = operator.end;
  skipBlanks(reader);
  const sign = reader.text[reader.at];
  if (sign === undefined || (isMeta(sign) && !isProcessSubstitution(reader))) {
    fail(reader, `\`${operator.text}\` has no target`);
  }
  const redirection: Draft["redirections"][number] = { operator: operator.text, target: null, text: null };
  draft.redirections.push(redirection);
  if (operator.text === "<<" || operator.text === "<<-") {
    const stripsTabs = operator.text === "<<-";
    reader.pending.push({
      ...readDelimiter(reader),
      stripsTabs,
      redirection,
      draft,
      place: draft.place,
      runs: null,
    });
    return;
  }
  const word = readWord(reader, false);
  redirection.target = word.value;
  redirection.text = word.text;
  draft.isHiding ||= word.isHiding;
  if (operator.text === "<<<" && word.value === null) redirection.target = word.pattern;
}

/** The word behind `<<` with its quotes removed; nothing in it is expanded. */
function readDelimiter(reader: Reader): Pick<PendingDocument, "delimiter" | "isQuoted"> {
  const { text } = reader;
  let delimiter = "";
  let isQuoted = false;
  for (;;) {
    const sign = text[reader.at];
    if (sign === undefined || isMeta(sign)) return { delimiter, isQuoted };
    if (sign === "$" || sign === "`") fail(reader, "the end mark of a here-document holds an expansion");
    reader.at++;
    if (sign === "'" || sign === '"') {
      isQuoted = true;
      const end = text.indexOf(sign, reader.at);
      if (end < 0) fail(reader, "a quote is not closed");
      const inside = text.slice(reader.at, end);
      if (/[\\\n$`]/.test(inside)) fail(reader, "the end mark of a here-document is not one simple line");
      delimiter += inside;
      reader.at = end + 1;
    } else if (sign === "\\") {
      const next = text[reader.at];
      reader.at++;
      if (next === "\n") continue;
      isQuoted = true;
      delimiter += next ?? "";
    } else delimiter += sign;
  }
}

/** The bodies of the line that just ended. */
export function readDocuments(reader: Reader): void {
  if (reader.outerPending > 0) fail(reader, "a here-document begins inside a substitution");
  const { pending } = reader;
  if (pending.length === 0) return;
  reader.pending = [];
  for (const document of pending) readBody(reader, document);
}

function readBody(reader: Reader, document: PendingDocument): void {
  const { delimiter, isQuoted, stripsTabs, redirection } = document;
  const lines: string[] = [];
  for (;;) {
    if (reader.at >= reader.text.length) fail(reader, `the here-document has no end mark \`${delimiter}\``);
    let line = isQuoted ? takeLine(reader) : takeJoinedLine(reader);
    if (stripsTabs) line = line.replace(/^\t+/, "");
    if (line === delimiter) break;
    lines.push(line);
  }
  const body = lines.length === 0 ? "" : `${lines.join("\n")}\n`;
  if (isQuoted || !/[$`\\]/.test(body)) {
    redirection.target = body;
  } else redirection.target = reader.readDocument(reader, body, document.place);
  if (document.draft.readsInput && hidesSubstitution(body)) addUnknown(reader, document.place);
  if (document.runs === null) return;
  if (redirection.target === null) addUnknown(reader, document.place);
  else reader.readText(reader, redirection.target, { dialect: document.runs, place: document.place });
}

function takeLine(reader: Reader): string {
  const { text, at } = reader;
  const newline = text.indexOf("\n", at);
  const end = newline < 0 ? text.length : newline;
  reader.at = Math.min(end + 1, text.length);
  return text.slice(at, end);
}

/** Lines that end with a backslash are joined with the next, before the end mark is looked for. */
function takeJoinedLine(reader: Reader): string {
  const parts: string[] = [];
  for (;;) {
    const part = takeLine(reader);
    let kept = part.length;
    while (part[kept - 1] === "\\") kept--;
    if ((part.length - kept) % 2 === 0 || reader.at >= reader.text.length) return parts.join("") + part;
    parts.push(part.slice(0, -1));
  }
}
