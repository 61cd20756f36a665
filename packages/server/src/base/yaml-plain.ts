/**
 * Reads plain YAML fast: maps, lists and one-line values, as people write them in nearly every file. Whatever else it meets
 * (anchors, tags, block texts, escapes, values over several lines, any mistake) it leaves to the library, which is about
 * eight times slower. Both give the same nodes and positions; a differential test holds them together.
 */
import type { YamlEntry, YamlNode } from "./yaml-node.ts";

/** Undefined: not plain, or not valid. Never throws. Linear in the text. */
export function readPlainYaml(text: string): YamlNode | undefined {
  if (hasUncommonCharacters.test(text)) return undefined;
  const lines = splitLines(text);
  const first = lines?.[0];
  if (lines === undefined || first === undefined || first.indent !== 0) return undefined;
  const reading: Reading = { lines, next: 0, nodes: 0 };
  try {
    const node = readBlock(reading, 0, 0);
    return reading.next === lines.length ? node : undefined;
  } catch {
    // Where plain reading ends; were it a mistake in here, the library would read the file all the same.
    return undefined;
  }
}

/** Tabs, carriage returns, controls, unusual line ends and byte order marks; lone surrogates. */
const hasUncommonCharacters =
  /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ufefe\uff00-\ufffd]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Thrown inside this file only, where plain reading ends. */
const notPlain: symbol = Symbol("not plain");

/** Deeper and larger files are the library's, which counts exactly. */
const limits = { depth: 30, nodes: 12_000 };

interface Line {
  readonly number: number;
  readonly indent: number;
  /** Without indentation, comment and trailing blanks. */
  readonly content: string;
}

interface Reading {
  readonly lines: readonly Line[];
  next: number;
  nodes: number;
}

/** Undefined when a document mark or directive shows up. */
function splitLines(text: string): readonly Line[] | undefined {
  const lines: Line[] = [];
  let number = 0;
  for (let from = 0; from < text.length;) {
    const found = text.indexOf("\n", from);
    const end = found < 0 ? text.length : found;
    number++;
    let start = from;
    while (start < end && text.charCodeAt(start) === 0x20) start++;
    let last = end;
    while (last > start && text.charCodeAt(last - 1) === 0x20) last--;
    if (last > start && text[start] !== "#") {
      const content = text.slice(start, last);
      if (start === from && /^(?:---|\.\.\.|%)/.test(content)) return undefined;
      lines.push({ number, indent: start - from, content });
    }
    from = end + 1;
  }
  return lines;
}

/** The map or list whose first line is next and stands at `column`. */
function readBlock(reading: Reading, column: number, depth: number): YamlNode {
  if (depth > limits.depth) throw notPlain;
  const { content } = reading.lines[reading.next]!;
  return isItem(content) ? readList(reading, column, depth) : readMap(reading, column, depth);
}

function isItem(content: string): boolean {
  return content.startsWith("- ");
}

function readList(reading: Reading, column: number, depth: number): YamlNode {
  const at = { line: reading.lines[reading.next]!.number, column: column + 1 };
  const items: YamlNode[] = [];
  for (let line = reading.lines[reading.next]; line !== undefined; line = reading.lines[reading.next]) {
    if (line.indent < column || (line.indent === column && !isItem(line.content))) break;
    if (line.indent > column) throw notPlain;
    const inner = line.content.slice(1).trimStart();
    const innerColumn = column + line.content.length - inner.length;
    if (isItem(inner)) throw notPlain;
    const key = keyOf(inner);
    if (key === undefined) {
      reading.next++;
      items.push(readValue(reading, inner, { line: line.number, column: innerColumn }));
      refuseContinuation(reading, column);
    } else {
      // The item is a map that begins behind its dash: read on as if the dash were a blank.
      const { number } = line;
      (reading.lines as Line[])[reading.next] = { number, indent: innerColumn, content: inner };
      items.push(readMap(reading, innerColumn, depth + 1));
    }
  }
  return { kind: "list", at, items };
}

function readMap(reading: Reading, column: number, depth: number): YamlNode {
  if (depth > limits.depth) throw notPlain;
  const at = { line: reading.lines[reading.next]!.number, column: column + 1 };
  const entries: YamlEntry[] = [];
  const seen = new Set<string>();
  for (let line = reading.lines[reading.next]; line !== undefined; line = reading.lines[reading.next]) {
    if (line.indent < column) break;
    if (line.indent > column) throw notPlain;
    const key = keyOf(line.content);
    // A list at the column of the key before it ends the map around it only when that map is an item: not plain.
    if (key === undefined || seen.has(key)) throw notPlain;
    seen.add(key);
    const keyAt = { line: line.number, column: column + 1 };
    reading.next++;
    entries.push({ key, keyAt, value: readEntryValue(reading, line, { key, column, depth }) });
  }
  return { kind: "map", at, entries };
}

function readEntryValue(
  reading: Reading,
  line: Line,
  { key, column, depth }: { readonly key: string; readonly column: number; readonly depth: number },
): YamlNode {
  const behind = line.content.slice(key.length + 1);
  const value = behind.trimStart();
  if (value !== "" && !value.startsWith("#")) {
    const place = { line: line.number, column: column + line.content.length - value.length };
    const node = readValue(reading, value, place);
    refuseContinuation(reading, column);
    return node;
  }
  const next = reading.lines[reading.next];
  if (next === undefined || next.indent < column) throw notPlain;
  if (next.indent > column) return readBlock(reading, next.indent, depth + 1);
  if (isItem(next.content)) return readList(reading, column, depth + 1);
  throw notPlain;
}

/** A deeper line behind a value would be a part of it. */
function refuseContinuation({ lines, next }: Reading, column: number): void {
  const line = lines[next];
  if (line !== undefined && line.indent > column) throw notPlain;
}

/** The key of `key: value` or `key:`; plain words only. */
function keyOf(content: string): string | undefined {
  const match = /^([A-Za-z_][\w-]*):(?: |$)/.exec(content);
  const key = match?.[1];
  if (key === undefined || key === "__proto__" || isWordOfSchema(key)) return undefined;
  return key;
}

interface Place {
  readonly line: number;
  /** 0-based. */
  readonly column: number;
}

/** A value that fills the rest of a line, but for a comment. */
function readValue(reading: Reading, text: string, { line, column }: Place): YamlNode {
  const cursor: Cursor = { text, at: 0, line, column, reading };
  const node = readFlow(cursor, false, 0);
  const rest = text.slice(cursor.at);
  if (rest !== "" && !/^ +#/.test(rest)) throw notPlain;
  return node;
}

interface Cursor extends Place {
  readonly text: string;
  at: number;
  readonly reading: Reading;
}

function readFlow(cursor: Cursor, isInside: boolean, depth: number): YamlNode {
  if (depth > limits.depth || ++cursor.reading.nodes > limits.nodes) throw notPlain;
  const sign = cursor.text[cursor.at];
  if (sign === '"' || sign === "'") return readQuoted(cursor, sign);
  if (sign === "[") return readFlowList(cursor, depth);
  if (sign === "{") return readFlowMap(cursor, depth);
  return readWord(cursor, isInside ? flowWord : blockWord);
}

/** Letters that take part in YAML's grammar end the word or make it less than plain. */
const blockWord =
  /(?:[^\s:#,[\]{}&*!|>'"%@`?-]|[-?](?=[^\s:#])|:(?=[^\s]))(?:[^\s:]|:(?=[^\s])| +(?=[^\s#]))*/y;
const flowWord =
  /(?:[^\s:#,[\]{}&*!|>'"%@`?-]|-(?=[\w/.]))(?:[^\s:,[\]{}'"#]|:(?=[\w/.*])| +(?=[^\s:#,[\]{}'"]))*/y;

function readWord(cursor: Cursor, pattern: RegExp): YamlNode {
  pattern.lastIndex = cursor.at;
  const word = pattern.exec(cursor.text)?.[0];
  if (word === undefined) throw notPlain;
  const at = { line: cursor.line, column: cursor.column + cursor.at + 1 };
  cursor.at += word.length;
  return scalar(word, at);
}

function scalar(word: string, at: { readonly line: number; readonly column: number }): YamlNode {
  if (/^[-+.\d]/.test(word)) {
    if (/^(?:0|-?[1-9]\d{0,14})$/.test(word)) return { kind: "scalar", at, value: Number(word) };
    if (isNumberOfSchema.test(word)) throw notPlain;
  }
  if (word === "true" || word === "false") return { kind: "scalar", at, value: word === "true" };
  if (isWordOfSchema(word)) throw notPlain;
  return { kind: "scalar", at, value: word, textAt: at };
}

/** Numbers of YAML's core schema that are not written the common way. */
const isNumberOfSchema =
  /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

function isWordOfSchema(word: string): boolean {
  return /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE)$/.test(word);
}

function readQuoted(cursor: Cursor, quote: string): YamlNode {
  const end = cursor.text.indexOf(quote, cursor.at + 1);
  const value = cursor.text.slice(cursor.at + 1, end);
  if (end < 0 || (quote === '"' ? value.includes("\\") : cursor.text[end + 1] === "'")) throw notPlain;
  const at = { line: cursor.line, column: cursor.column + cursor.at + 1 };
  cursor.at = end + 1;
  // The library's reader finds an empty text at its quote, and one that equals its own quotes nowhere else.
  const textAt = value === "" ? at : { line: at.line, column: at.column + 1 };
  return { kind: "scalar", at, value, textAt };
}

function readFlowList(cursor: Cursor, depth: number): YamlNode {
  const at = { line: cursor.line, column: cursor.column + cursor.at + 1 };
  const items: YamlNode[] = [];
  cursor.at++;
  for (skipBlanks(cursor); cursor.text[cursor.at] !== "]"; skipBlanks(cursor)) {
    items.push(readFlow(cursor, true, depth + 1));
    endItem(cursor, "]");
  }
  cursor.at++;
  return { kind: "list", at, items };
}

function readFlowMap(cursor: Cursor, depth: number): YamlNode {
  const at = { line: cursor.line, column: cursor.column + cursor.at + 1 };
  const entries: YamlEntry[] = [];
  const seen = new Set<string>();
  cursor.at++;
  for (skipBlanks(cursor); cursor.text[cursor.at] !== "}"; skipBlanks(cursor)) {
    flowKey.lastIndex = cursor.at;
    const key = flowKey.exec(cursor.text)?.[1];
    if (key === undefined || key === "__proto__" || isWordOfSchema(key) || seen.has(key)) throw notPlain;
    seen.add(key);
    const keyAt = { line: cursor.line, column: cursor.column + cursor.at + 1 };
    cursor.at = flowKey.lastIndex;
    skipBlanks(cursor);
    entries.push({ key, keyAt, value: readFlow(cursor, true, depth + 1) });
    endItem(cursor, "}");
  }
  cursor.at++;
  return { kind: "map", at, entries };
}

const flowKey = /([A-Za-z_][\w-]*): /y;

function skipBlanks(cursor: Cursor): void {
  while (cursor.text[cursor.at] === " ") cursor.at++;
  if (cursor.at >= cursor.text.length) throw notPlain;
}

/** A comma, or the end of the collection. */
function endItem(cursor: Cursor, closing: string): void {
  skipBlanks(cursor);
  if (cursor.text[cursor.at] === ",") cursor.at++;
  else if (cursor.text[cursor.at] !== closing) throw notPlain;
}
