/** One source file as the checks see it: what it imports, and which uses and exports the rules are about. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "@babel/parser";

export interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly isTypeOnly: boolean;
  /** `worker` is a file named by `new URL("./x.ts", import.meta.url)`: it runs in a thread of its own. */
  readonly kind: "import" | "worker";
  /** What of it is used; undefined: nobody can tell, so perhaps all. */
  readonly names: readonly string[] | undefined;
}

/** A function, class or value that others may import. */
export interface Export {
  readonly name: string;
  readonly line: number;
}

/** A use that some rule forbids outside certain files. */
export interface Use {
  readonly what: "environment" | "time" | "default export";
  readonly text: string;
  readonly line: number;
}

export interface SourceFile {
  /** Relative to the repository, `/`-separated. */
  readonly path: string;
  readonly lines: number;
  /** Code that only runs in tests: suites, contracts of implementations, fixtures, servers and worlds made for them. */
  readonly isTest: boolean;
  readonly imports: readonly Import[];
  readonly uses: readonly Use[];
  readonly exports: readonly Export[];
}

/** Throws SyntaxError with the file's name when it does not parse. */
export function readSourceFile(repository: string, path: string): SourceFile {
  const text = readFileSync(join(repository, path), "utf8");
  const imports: Import[] = [];
  const uses: Use[] = [];
  const exports: Export[] = [];
  walk(parseProgram(path, text), (node) => {
    const found = importOf(node);
    if (found !== undefined) imports.push(found);
    const use = useOf(node);
    if (use !== undefined) uses.push(use);
    exports.push(...exportsOf(node));
  });
  const isTest = isTestPath(path) || imports.some((entry) => entry.specifier === "vitest");
  return { path, lines: text.replace(/\n$/, "").split("\n").length, isTest, imports, uses, exports };
}

function isTestPath(path: string): boolean {
  return (
    /\.(test|fixture)\.tsx?$/.test(path) ||
    /(^|\/)(test|testing)-[^/]*\.tsx?$/.test(path) ||
    path.startsWith("test/")
  );
}

/** A node of the syntax tree; its members are read as they are needed, for the tree has over 200 kinds. */
interface Node {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } };
  readonly [member: string]: unknown;
}

function parseProgram(path: string, text: string): Node {
  try {
    const plugins = path.endsWith(".tsx") ? (["typescript", "jsx"] as const) : (["typescript"] as const);
    // The parser's own node types hold what `Node` says; only its index signature is new.
    return parse(text, { sourceType: "module", plugins: [...plugins] }) as unknown as Node;
  } catch (cause) {
    throw new SyntaxError(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  if (!isNode(value)) return;
  visit(value);
  for (const [name, member] of Object.entries(value)) {
    if (name !== "loc" && name !== "leadingComments" && name !== "trailingComments") walk(member, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function importOf(node: Node): Import | undefined {
  const line = lineOf(node);
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration": {
      const specifier = stringOf(node["source"]);
      if (specifier === undefined) return undefined;
      const isTypeOnly = node["importKind"] === "type" || node["exportKind"] === "type";
      return { specifier, line, isTypeOnly, kind: "import", names: namesOf(node) };
    }
    case "ImportExpression": {
      const specifier = stringOf(node["source"]);
      return specifier === undefined
        ? undefined
        : { specifier, line, isTypeOnly: false, kind: "import", names: undefined };
    }
    case "TSImportType": {
      const source = node["source"] ?? node["argument"];
      const specifier = stringOf(source) ?? (isNode(source) ? stringOf(source["literal"]) : undefined);
      return specifier === undefined
        ? undefined
        : { specifier, line, isTypeOnly: true, kind: "import", names: [] };
    }
    case "NewExpression": {
      if (nameOf(node["callee"]) !== "URL") return undefined;
      const specifier = stringOf((node["arguments"] as readonly unknown[])[0]);
      if (specifier === undefined || !/^\.{1,2}\/.*\.tsx?$/.test(specifier)) return undefined;
      return { specifier, line, isTypeOnly: false, kind: "worker", names: undefined };
    }
    default:
      return undefined;
  }
}

function namesOf(node: Node): readonly string[] | undefined {
  if (node.type === "ExportAllDeclaration") return undefined;
  const specifiers = node["specifiers"] as readonly Node[];
  if (specifiers.some(({ type }) => type === "ImportNamespaceSpecifier")) return undefined;
  return specifiers.map((specifier) => nameOf(specifier["imported"] ?? specifier["local"]));
}

function exportsOf(node: Node): readonly Export[] {
  const declared = node.type === "ExportNamedDeclaration" ? node["declaration"] : undefined;
  if (!isNode(declared)) return [];
  const line = lineOf(node);
  switch (declared.type) {
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return [{ name: nameOf(declared["id"]), line }];
    case "VariableDeclaration":
      return (declared["declarations"] as readonly Node[]).map(({ id }) => ({ name: nameOf(id), line }));
    default:
      return [];
  }
}

function useOf(node: Node): Use | undefined {
  const line = lineOf(node);
  const member =
    node.type === "MemberExpression" ? `${nameOf(node["object"])}.${nameOf(node["property"])}` : "";
  if (member === "process.env") return { what: "environment", text: member, line };
  if (member === "Date.now" || member === "performance.now") return { what: "time", text: member, line };
  const callee = nameOf(node["callee"]);
  if (node.type === "CallExpression" && (callee === "setTimeout" || callee === "setInterval")) {
    return { what: "time", text: `${callee}()`, line };
  }
  if (
    node.type === "NewExpression" &&
    callee === "Date" &&
    (node["arguments"] as readonly unknown[]).length === 0
  ) {
    return { what: "time", text: "new Date()", line };
  }
  if (node.type === "ImportDeclaration" && importsTimer(node)) {
    return { what: "time", text: `${stringOf(node["source"])}`, line };
  }
  if (node.type === "ExportDefaultDeclaration")
    return { what: "default export", text: "export default", line };
  return undefined;
}

/** `setImmediate` yields to the event loop and measures nothing. */
function importsTimer(node: Node): boolean {
  if (!/^node:timers(\/|$)/.test(stringOf(node["source"]) ?? "")) return false;
  return (node["specifiers"] as readonly Node[]).some(
    (specifier) => nameOf(specifier["imported"]) !== "setImmediate",
  );
}

function lineOf(node: Node): number {
  return node.loc?.start.line ?? 0;
}

function nameOf(value: unknown): string {
  return isNode(value) && value.type === "Identifier" ? String(value["name"]) : "";
}

function stringOf(value: unknown): string | undefined {
  return isNode(value) && value.type === "StringLiteral" ? String(value["value"]) : undefined;
}
