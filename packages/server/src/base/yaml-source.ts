/** Reads YAML into plain nodes with positions, bounded in every way; the one file that knows the YAML library. */
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from "yaml";
import type { Document, Pair, ParsedNode } from "yaml";
import type { JsonValue } from "./canonical-json.ts";
import { createFindingCollector } from "./finding.ts";
import type { Finding, FindingCollector, Position } from "./finding.ts";
import type { YamlEntry, YamlNode } from "./yaml-node.ts";
import { readPlainYaml } from "./yaml-plain.ts";

export type { YamlEntry, YamlNode } from "./yaml-node.ts";

export type YamlResult =
  | { readonly ok: true; readonly root: YamlNode }
  | { readonly ok: false; readonly findings: readonly Finding[] };

const limits = {
  /** UTF-8 bytes. */
  sizeBytes: 262_144,
  /** The library recurses when it composes nodes: 100,000 brackets would end the process, not throw. */
  depth: 100,
  /** A file of 256 KB of dense YAML has about 60,000. */
  tokens: 100_000,
};

/**
 * Reads one document of YAML 1.2 (core schema). Never throws. Anchors, aliases, tags and duplicate keys are refused: the
 * first three would allow a small file to mean a huge one, the last hides a mistake. At most 256 KB, 100 levels deep.
 */
export function readYaml(text: string, file?: string): YamlResult {
  const collector = createFindingCollector(file);
  const start = { line: 1, column: 1 };
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > limits.sizeBytes) {
    collector.error(start, "", `the file has ${sizeBytes} bytes, more than ${limits.sizeBytes}`);
    return { ok: false, findings: collector.findings() };
  }
  const nul = text.indexOf("\0");
  if (nul >= 0) {
    const hint = "save the file as plain text in UTF-8";
    collector.error(positionIn(text, nul), "", "the file holds a NUL byte, which no text has", hint);
    return { ok: false, findings: collector.findings() };
  }
  const plain = readPlainYaml(text);
  return plain === undefined ? readWithLibrary(text, collector) : { ok: true, root: plain };
}

function positionIn(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

/** The same without the fast way; exported for the test that compares them. */
export function readWithLibrary(text: string, collector: FindingCollector): YamlResult {
  const start = { line: 1, column: 1 };
  const lines = new LineCounter();
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const reading = { text, collector, positionOf };
  const documents = compose(lines, reading);
  const document = documents[0];
  if (document !== undefined && !collector.hasErrors()) {
    // One broken line makes the library complain of the same thing again and again.
    const told = new Set<string>();
    for (const problem of [...document.errors, ...document.warnings]) {
      const at = positionOf(problem.pos[0]);
      const message = yamlMessage(problem.message);
      if (told.has(`${at.line} ${message}`)) continue;
      told.add(`${at.line} ${message}`);
      collector.error(at, "", message, yamlHint(problem.message));
    }
    const second = documents[1];
    if (second !== undefined) {
      const at = positionOf(second.range[0]);
      collector.error(at, "", "the file holds a second document", "remove the line `---` and what follows");
    }
  }
  const root = document?.contents ?? undefined;
  if (root === undefined && !collector.hasErrors()) collector.error(start, "", "the file is empty");
  if (root === undefined || collector.hasErrors()) return { ok: false, findings: collector.findings() };
  const node = convert(root, undefined, reading);
  return collector.hasErrors() ? { ok: false, findings: collector.findings() } : { ok: true, root: node };
}

/** The plain value of a node; members keep the order of the file. */
export function yamlValue(node: YamlNode): JsonValue {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(yamlValue);
    case "map":
      return Object.fromEntries(node.entries.map((entry) => [entry.key, yamlValue(entry.value)]));
  }
}

/** `a list`, `a map`, `the text "x"`: what a node is, for messages. */
export function describeNode(node: YamlNode): string {
  if (node.kind === "list") return "a list";
  if (node.kind === "map") return "a map";
  if (node.value === null) return "nothing";
  if (typeof node.value !== "string") return `the ${typeof node.value} ${node.value}`;
  const text = node.value.length > 60 ? `${node.value.slice(0, 60)}...` : node.value;
  return `the text ${JSON.stringify(text)}`;
}

interface Reading {
  readonly text: string;
  readonly collector: FindingCollector;
  readonly positionOf: (offset: number) => Position;
}

/** The way from the root to a node, innermost first: its text is made only when something is wrong there. */
interface Trail {
  readonly outer: Trail | undefined;
  readonly key: string | number;
}

function pathOf(trail: Trail | undefined): string {
  if (trail === undefined) return "";
  const outer = pathOf(trail.outer);
  return typeof trail.key === "number" ? `${outer}[${trail.key}]` : joinPath(outer, trail.key);
}

function compose(lines: LineCounter, { text, collector, positionOf }: Reading): readonly Document.Parsed[] {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    count++;
    if (parser.stack.length <= limits.depth && count <= limits.tokens) continue;
    const isDeep = parser.stack.length > limits.depth;
    const message = isDeep
      ? `nested deeper than ${limits.depth} levels`
      : `more than ${limits.tokens} YAML tokens`;
    collector.error(positionOf(parser.offset), "", message);
    return [];
  }
  tokens.push(...parser.end());
  // The library looks for duplicate keys in quadratic time (4 s for 20,000 keys); `convert` does it in linear time.
  const composer = new Composer({
    lineCounter: lines,
    uniqueKeys: false,
    version: "1.2",
    schema: "core",
    merge: false,
  });
  return [...composer.compose(tokens, true, text.length)] as readonly Document.Parsed[];
}

function convert(node: ParsedNode, trail: Trail | undefined, reading: Reading): YamlNode {
  const offset = node.range[0];
  const at = reading.positionOf(offset);
  const refuse = (message: string, hint?: string): void => {
    reading.collector.error(at, pathOf(trail), message, hint);
  };
  if (isAlias(node) || node.anchor !== undefined) {
    refuse("anchors and aliases (`&`, `*`) are not supported", "write the value out, or quote the text");
  }
  if (!isAlias(node) && node.tag !== undefined) {
    const hint = "remove it; quotes make a text, no quotes a number or true or false";
    refuse(`the tag ${node.tag} is not supported`, hint);
  }
  if (isMap<ParsedNode, ParsedNode | null>(node))
    return { kind: "map", at, entries: convertPairs(node.items, { trail, reading }) };
  if (isSeq<ParsedNode>(node)) {
    const items = node.items.map((item, index) => convert(item, { outer: trail, key: index }, reading));
    return { kind: "list", at, items };
  }
  const value: unknown = isScalar(node) ? node.value : null;
  if (value === null || typeof value === "boolean") return { kind: "scalar", at, value };
  if (typeof value === "number" && Number.isFinite(value)) {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      refuse(`the number ${value} is too large to be kept exactly`, "quote it to make it a text");
    }
    return { kind: "scalar", at, value };
  }
  if (typeof value === "string" && value.isWellFormed()) {
    const shift = findVerbatim(reading.text, value, offset);
    if (shift === undefined) return { kind: "scalar", at, value };
    return { kind: "scalar", at, value, textAt: { line: at.line, column: at.column + shift } };
  }
  // Not shown as it is: the message would be no text that can be kept or sent either.
  if (typeof value === "string") refuse("the text holds half a surrogate pair, which cannot be kept");
  else refuse(`the value ${String(value)} cannot be used here`);
  return { kind: "scalar", at, value: null };
}

/** How far behind the begin of its node a text stands unchanged on one line: 1 behind a quote. */
function findVerbatim(text: string, value: string, offset: number): number | undefined {
  if (value.includes("\n")) return undefined;
  if (text.startsWith(value, offset)) return 0;
  return text.startsWith(value, offset + 1) ? 1 : undefined;
}

function convertPairs(
  pairs: readonly Pair<ParsedNode, ParsedNode | null>[],
  { trail, reading }: { readonly trail: Trail | undefined; readonly reading: Reading },
): readonly YamlEntry[] {
  const { collector } = reading;
  const seen = new Set<string>();
  const entries: YamlEntry[] = [];
  for (const pair of pairs) {
    const keyAt = reading.positionOf(pair.key.range[0]);
    const key: unknown = isScalar(pair.key) ? pair.key.value : undefined;
    if (typeof key !== "string" || key === "__proto__" || !key.isWellFormed()) {
      const shown = typeof key === "string" || typeof key === "number" ? JSON.stringify(key) : "this";
      const hint = "keys are texts; quote numbers and true or false";
      collector.error(keyAt, pathOf(trail), `${shown} cannot be a key`, hint);
      continue;
    }
    const inner = { outer: trail, key };
    if (isScalar(pair.key) && pair.key.anchor !== undefined) {
      collector.error(keyAt, pathOf(inner), "anchors and aliases (`&`, `*`) are not supported");
    }
    if (seen.has(key)) {
      collector.error(keyAt, pathOf(inner), `the key \`${key}\` is there twice`, "remove one of them");
    }
    seen.add(key);
    const value: YamlNode = pair.value
      ? convert(pair.value, inner, reading)
      : { kind: "scalar", at: keyAt, value: null };
    entries.push({ key, keyAt, value });
  }
  return entries;
}

/** `steps[2]` and `with` give `steps[2].with`; keys that are no words are quoted. */
export function joinPath(path: string, key: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}[${JSON.stringify(key.slice(0, 80))}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The library appends a picture of the line; the place is told by line and column here. */
function yamlMessage(message: string): string {
  const [first = message] = message.split(/ at line \d+|\n/);
  return `not valid YAML: ${first.slice(0, 200)}`;
}

function yamlHint(message: string): string | undefined {
  if (/compact mappings|implicit (block )?(map )?key|Missing closing|Unexpected scalar/i.test(message)) {
    return "begin the keys of one map in the same column, and put quotes around texts that hold `: `, ` #`, `{` or begin with a sign";
  }
  if (/alias/i.test(message)) return 'a text that begins with `*` needs quotes: "*"';
  if (/escape sequence/i.test(message)) return "write '\\' between single quotes, or / between folders";
  if (/tab/i.test(message)) return "indent with spaces";
  return undefined;
}
