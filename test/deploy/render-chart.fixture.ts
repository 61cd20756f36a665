/** Renders a Helm chart without Helm: as much of Go's templates and of Sprig as our chart uses; anything else is an error. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

type Value = unknown;
type Scope = { readonly dot: Value; readonly root: Value; readonly variables: ReadonlyMap<string, Value> };

type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "expression"; readonly text: string }
  | {
      readonly kind: "if" | "with" | "range";
      readonly text: string;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

export interface RenderOptions {
  readonly chart: string;
  /** Laid over the chart's own values, maps merged. */
  readonly values?: object;
  readonly release?: string;
}

/** Every document of the chart's templates, parsed. Throws what `required` says, and for whatever it does not understand. */
export function renderChart({ chart, values = {}, release = "demo" }: RenderOptions): readonly object[] {
  const read = (name: string): string => readFileSync(join(chart, name), "utf8");
  const about = parse(read("Chart.yaml")) as { name: string; appVersion: string };
  const root = {
    Values: merge(parse(read("values.yaml")), values),
    Chart: { Name: about.name, AppVersion: about.appVersion },
    Release: { Name: release, Namespace: "default", Service: "Helm" },
  };
  const defined = new Map<string, readonly Node[]>();
  const names = readdirSync(join(chart, "templates"));
  for (const name of names.filter((each) => each.endsWith(".tpl")))
    parseTemplate(read(`templates/${name}`), defined);
  const documents: object[] = [];
  for (const name of names.filter((each) => !each.endsWith(".tpl"))) {
    const nodes = parseTemplate(read(`templates/${name}`), defined);
    const text = render(nodes, { dot: root, root, variables: new Map() }, defined);
    if (!name.endsWith(".yaml")) continue;
    for (const part of text.split(/^---$/m)) {
      const document = parse(part) as object | null;
      if (document !== null) documents.push(document);
    }
  }
  return documents;
}

function merge(below: Value, above: Value): Value {
  if (!isMap(below) || !isMap(above)) return above;
  const merged: Record<string, Value> = { ...below };
  for (const [key, value] of Object.entries(above))
    merged[key] = key in below ? merge(below[key], value) : value;
  return merged;
}

function isMap(value: Value): value is Record<string, Value> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Definitions go into `defined`; what is left is returned. */
function parseTemplate(text: string, defined: Map<string, readonly Node[]>): readonly Node[] {
  const parts = [...text.matchAll(/\{\{(-?)\s*(\/\*[^]*?\*\/|[^]*?)\s*(-?)\}\}/g)];
  const tokens: { readonly kind: "text" | "action"; readonly text: string }[] = [];
  let at = 0;
  let trimNext = false;
  for (const part of parts) {
    const [whole, left, action = "", right] = part;
    const raw = text.slice(at, part.index);
    const started = trimNext ? raw.trimStart() : raw;
    tokens.push({ kind: "text", text: left === "-" ? started.trimEnd() : started });
    if (!action.startsWith("/*")) tokens.push({ kind: "action", text: action });
    trimNext = right === "-";
    at = part.index + whole.length;
  }
  const rest = text.slice(at);
  tokens.push({ kind: "text", text: trimNext ? rest.trimStart() : rest });
  let position = 0;
  return block();

  /** Up to `end` or `else`, or to the end of the text. */
  function block(): Node[] {
    const nodes: Node[] = [];
    while (position < tokens.length) {
      const token = tokens[position]!;
      if (token.kind === "text") {
        nodes.push({ kind: "text", text: token.text });
        position += 1;
        continue;
      }
      const [word = ""] = token.text.split(/\s+/);
      if (word === "end" || word === "else") return nodes;
      position += 1;
      const about = token.text.slice(word.length).trim();
      if (word === "define") {
        defined.set(JSON.parse(about) as string, block());
        close();
      } else if (word === "if" || word === "with" || word === "range") {
        const body = block();
        let otherwise: readonly Node[] = [];
        if (tokens[position]?.text === "else") {
          position += 1;
          otherwise = block();
        }
        close();
        nodes.push({ kind: word, text: about, body, otherwise });
      } else nodes.push({ kind: "expression", text: token.text });
    }
    return nodes;
  }

  function close(): void {
    if (tokens[position]?.text !== "end") throw new Error(`a block is not closed: ${tokens[position]?.text}`);
    position += 1;
  }
}

function render(nodes: readonly Node[], scope: Scope, defined: ReadonlyMap<string, readonly Node[]>): string {
  return nodes.map((node) => renderNode(node, scope, defined)).join("");
}

function renderNode(node: Node, scope: Scope, defined: ReadonlyMap<string, readonly Node[]>): string {
  const value = (text: string): Value => evaluate(text, scope, defined);
  switch (node.kind) {
    case "text":
      return node.text;
    case "expression":
      return asText(value(node.text));
    case "if":
      return render(isTrue(value(node.text)) ? node.body : node.otherwise, scope, defined);
    case "with": {
      const dot = value(node.text);
      return isTrue(dot)
        ? render(node.body, { ...scope, dot }, defined)
        : render(node.otherwise, scope, defined);
    }
    case "range": {
      const match = /^(\$\w+), (\$\w+) := (.+)$/.exec(node.text);
      const over = value(match?.[3] ?? node.text);
      const entries = Array.isArray(over)
        ? [...over.entries()]
        : Object.entries((over as object | null) ?? {});
      return entries
        .map(([key, dot]) => {
          const variables = new Map(scope.variables);
          if (match !== null) variables.set(match[1]!, key).set(match[2]!, dot);
          return render(node.body, { ...scope, dot, variables }, defined);
        })
        .join("");
    }
  }
}

/** A pipeline: each command gets the value before it as its last argument. */
function evaluate(text: string, scope: Scope, defined: ReadonlyMap<string, readonly Node[]>): Value {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[()|]|[^\s()|]+/g) ?? [];
  let position = 0;
  const result = pipeline();
  if (position < tokens.length) throw new Error(`not understood: {{ ${text} }}`);
  return result;

  function pipeline(): Value {
    let value = command([]);
    while (tokens[position] === "|") {
      position += 1;
      value = command([value]);
    }
    return value;
  }

  function command(piped: readonly Value[]): Value {
    const first = tokens[position]!;
    if (!/^[a-zA-Z]/.test(first) || first === "true" || first === "false") return operand();
    position += 1;
    const args: Value[] = [];
    while (position < tokens.length && tokens[position] !== "|" && tokens[position] !== ")")
      args.push(operand());
    return call(first, [...args, ...piped]);
  }

  function operand(): Value {
    const token = tokens[position]!;
    position += 1;
    if (token === "(") {
      const value = pipeline();
      if (tokens[position] !== ")") throw new Error(`a parenthesis is not closed: ${text}`);
      position += 1;
      return value;
    }
    if (token.startsWith('"')) return JSON.parse(token);
    if (/^-?\d+$/.test(token)) return Number(token);
    if (token === "true" || token === "false") return token === "true";
    if (token.startsWith("$")) {
      const [name = "", ...path] = token.split(".");
      return walk(name === "$" ? scope.root : scope.variables.get(name), path);
    }
    if (token === ".") return scope.dot;
    if (token.startsWith(".")) return walk(scope.dot, token.slice(1).split("."));
    throw new Error(`not understood: ${token} in {{ ${text} }}`);
  }

  function walk(from: Value, path: readonly string[]): Value {
    return path.reduce<Value>((value, name) => {
      if (!isMap(value)) throw new Error(`there is no ${name} in {{ ${text} }}`);
      return value[name];
    }, from);
  }

  function call(name: string, args: readonly Value[]): Value {
    const run = functions[name];
    if (name === "include") {
      const nodes = defined.get(args[0] as string);
      if (nodes === undefined) throw new Error(`nothing defines ${String(args[0])}`);
      return render(nodes, { ...scope, dot: args[1], root: args[1] }, defined);
    }
    if (run === undefined) throw new Error(`there is no function ${name} here: {{ ${text} }}`);
    return run(...args);
  }
}

const functions: Readonly<Record<string, (...args: readonly Value[]) => Value>> = {
  quote: (value) => JSON.stringify(asText(value)),
  default: (fallback, value) => (isTrue(value) ? value : fallback),
  required: (message, value) => {
    if (isTrue(value)) return value;
    throw new Error(String(message));
  },
  eq: (one, other) => one === other,
  not: (value) => !isTrue(value),
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  join: (between, list) => (list as readonly Value[]).map(asText).join(String(between)),
  indent: (columns, text) => indent(Number(columns), String(text)),
  nindent: (columns, text) => `\n${indent(Number(columns), String(text))}`,
  toYaml: (value) => stringify(value).trimEnd(),
  trunc: (length, text) => String(text).slice(0, Number(length)),
  trimSuffix: (suffix, text) =>
    String(text).endsWith(String(suffix)) ? String(text).slice(0, -String(suffix).length) : text,
  sha256sum: (text) => createHash("sha256").update(String(text)).digest("hex"),
};

function indent(columns: number, text: string): string {
  return text.replaceAll(/^/gm, " ".repeat(columns));
}

function asText(value: Value): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
}

/** As Go's templates see it: nothing, false, 0 and everything empty are not true. */
function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== "";
}
