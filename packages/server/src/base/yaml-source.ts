/** Reads YAML into plain nodes with positions, bounded in every way; the one file that knows the YAML library. */
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from "yaml";
import type { Document, Node, Pair } from "yaml";
import type { JsonValue } from "./canonical-json.ts";
import { createFindingCollector } from "./finding.ts";
import type { Finding, FindingCollector, Position } from "./finding.ts";

/** `at` is where the node begins. Only what JSON can hold gets this far; keys are strings and unique. */
export type YamlNode =
  | {
      readonly kind: "scalar";
      readonly at: Position;
      readonly value: string | number | boolean | null;
      /** Where the text itself begins, when it stands in the file letter for letter on one line. */
      readonly textAt?: Position;
    }
  | { readonly kind: "list"; readonly at: Position; readonly items: readonly YamlNode[] }
  | { readonly kind: "map"; readonly at: Position; readonly entries: readonly YamlEntry[] };

export interface YamlEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: YamlNode;
}

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
  const lines = new LineCounter();
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const findVerbatim = (value: string, offset: number): Position | undefined => {
    const start = [offset, offset + 1].find((candidate) => text.startsWith(value, candidate));
    return start === undefined || value.includes("\n") ? undefined : positionOf(start);
  };
  const reading = { collector, positionOf, findVerbatim };
  const documents = compose(text, lines, reading);
  const document = documents[0];
  if (document !== undefined && !collector.hasErrors()) {
    for (const problem of [...document.errors, ...document.warnings]) {
      collector.error(
        positionOf(problem.pos[0]),
        "",
        yamlMessage(problem.message),
        yamlHint(problem.message),
      );
    }
    if (documents.length > 1) {
      const at = positionOf(documents[1]?.range[0] ?? 0);
      collector.error(at, "", "the file holds a second document", "remove the line `---` and what follows");
    }
  }
  const root = document?.contents ?? undefined;
  if (root === undefined && !collector.hasErrors()) collector.error(start, "", "the file is empty");
  if (root === undefined || collector.hasErrors()) return { ok: false, findings: collector.findings() };
  const node = convert(root, "", reading);
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
  readonly collector: FindingCollector;
  readonly positionOf: (offset: number) => Position;
  /** Where `value` stands unchanged, given where its node begins (a quote may come first). */
  readonly findVerbatim: (value: string, offset: number) => Position | undefined;
}

function compose(
  text: string,
  lines: LineCounter,
  { collector, positionOf }: Reading,
): readonly Document.Parsed[] {
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

function convert(node: Node, path: string, reading: Reading): YamlNode {
  const at = reading.positionOf(node.range?.[0] ?? 0);
  const { collector } = reading;
  if (isAlias(node) || node.anchor !== undefined) {
    collector.error(
      at,
      path,
      "anchors and aliases (`&`, `*`) are not supported",
      "write the value out, or quote the text",
    );
  }
  if (!isAlias(node) && node.tag !== undefined) {
    collector.error(
      at,
      path,
      `the tag ${node.tag} is not supported`,
      "remove it; quotes make a text, no quotes a number or true or false",
    );
  }
  if (isMap<Node, Node | null>(node))
    return { kind: "map", at, entries: convertPairs(node.items, at, { path, reading }) };
  if (isSeq<Node>(node)) {
    return {
      kind: "list",
      at,
      items: node.items.map((item, index) => convert(item, `${path}[${index}]`, reading)),
    };
  }
  const value: unknown = isScalar(node) ? node.value : null;
  if (value === null || typeof value === "boolean") return { kind: "scalar", at, value };
  if (typeof value === "number" && Number.isFinite(value)) {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      collector.error(
        at,
        path,
        `the number ${value} is too large to be kept exactly`,
        "quote it to make it a text",
      );
    }
    return { kind: "scalar", at, value };
  }
  if (typeof value === "string" && value.isWellFormed()) {
    const textAt = reading.findVerbatim(value, node.range?.[0] ?? 0);
    return textAt === undefined ? { kind: "scalar", at, value } : { kind: "scalar", at, value, textAt };
  }
  collector.error(at, path, `the value ${String(value)} cannot be used here`);
  return { kind: "scalar", at, value: null };
}

function convertPairs(
  pairs: readonly Pair<Node, Node | null>[],
  mapAt: Position,
  { path, reading }: { readonly path: string; readonly reading: Reading },
): readonly YamlEntry[] {
  const seen = new Set<string>();
  const entries: YamlEntry[] = [];
  for (const pair of pairs) {
    const keyAt = pair.key?.range ? reading.positionOf(pair.key.range[0]) : mapAt;
    const key: unknown = isScalar(pair.key) ? pair.key.value : undefined;
    if (typeof key !== "string" || key === "__proto__" || !key.isWellFormed()) {
      const shown = typeof key === "string" || typeof key === "number" ? JSON.stringify(key) : "this";
      reading.collector.error(
        keyAt,
        path,
        `${shown} cannot be a key`,
        "keys are texts; quote numbers and true or false",
      );
      continue;
    }
    const inner = joinPath(path, key);
    if (isScalar(pair.key) && pair.key.anchor !== undefined) {
      reading.collector.error(keyAt, inner, "anchors and aliases (`&`, `*`) are not supported");
    }
    if (seen.has(key))
      reading.collector.error(keyAt, inner, `the key \`${key}\` is there twice`, "remove one of them");
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
    return 'put quotes around texts that hold `: `, ` #`, `{` or begin with a sign, for example "${{ a ? b : c }}"';
  }
  if (/tab/i.test(message)) return "indent with spaces";
  return undefined;
}
