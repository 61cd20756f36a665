/** Which modules and names of JavaScript raise a question, and where a program uses them. */
import { isForeignPath, isSign, readLiteral, readLiteralCommand } from "./code-scan-tokens.ts";
import type { Found, Token } from "./code-scan-tokens.ts";

const modules: ReadonlySet<string> = new Set([
  "child_process", "cluster", "dgram", "dns", "dns/promises", "http", "http2", "https", "inspector", "inspector/promises",
  "module", "net", "repl", "tls", "undici", "vm", "worker_threads", "ws",
]); // prettier-ignore

/** Functions of `child_process`: their command is told when it is written out. */
const starting: ReadonlySet<string> = new Set([
  "exec", "execSync", "execFile", "execFileSync", "spawn", "spawnSync", "fork",
]); // prettier-ignore

const deleting: ReadonlySet<string> = new Set(["rm", "rmSync", "rmdir", "rmdirSync", "unlink", "unlinkSync"]);

const processParts: ReadonlySet<string> = new Set([
  "binding", "_linkedBinding", "dlopen", "kill", "mainModule", "_kill", "_debugProcess",
]); // prettier-ignore

/** Called, or made with `new`. */
const callables: ReadonlySet<string> = new Set(["fetch", "WebSocket", "XMLHttpRequest", "EventSource"]);

const globals: ReadonlySet<string> = new Set(["globalThis", "global", "window", "self"]);

export function findJavaScriptCalls(tokens: readonly Token[]): readonly Found[] {
  const found: Found[] = [];
  const scan = { tokens, found };
  tokens.forEach((token, index) => {
    if (token.kind === "text") return readSpecifier(scan, index);
    if (token.kind !== "name") return;
    const before = tokens[index - 1];
    const isMember = isSign(before, ".");
    if (isMember) readMember(scan, index);
    if (!isMember || globals.has(tokens[index - 2]?.text ?? "")) readGlobal(scan, index);
  });
  if (!found.some(({ name }) => name === "child_process"))
    return found.filter(({ name }) => name !== started);
  return found.map((each) => (each.name === started ? { ...each, name: "child_process" } : each));
}

/** Stands for a call that only counts in a program that has `child_process`. */
const started = " ";

interface Scan {
  readonly tokens: readonly Token[];
  readonly found: Found[];
}

/** `import ... from "net"`, `import "net"`, `export ... from "net"`. */
function readSpecifier({ tokens, found }: Scan, index: number): void {
  const before = tokens[index - 1];
  const { value, offset } = tokens[index]!;
  if (value === "constructor" && isSign(before, "[") && isSign(tokens[index + 1], "]")) {
    found.push({ name: "constructor", offset });
  }
  if (value === null || before?.kind !== "name" || (before.text !== "from" && before.text !== "import"))
    return;
  if (isSign(tokens[index - 2], ".")) return;
  const name = findModule(value);
  if (name !== undefined) found.push({ name, offset });
}

function findModule(specifier: string): string | undefined {
  const name = specifier.replace(/^node:/, "");
  return modules.has(name) ? name : undefined;
}

/** What stands behind a dot. */
function readMember(scan: Scan, index: number): void {
  const { tokens, found } = scan;
  const { text, offset } = tokens[index]!;
  const owner = tokens[index - 2]?.text;
  const isCall = isSign(tokens[index + 1], "(");
  if (starting.has(text) || deleting.has(text)) return readCall(scan, index);
  if (owner === "process" && processParts.has(text)) found.push({ name: `process.${text}`, offset });
  else if (isCall && (text === "getBuiltinModule" || text === "createRequire" || text === "require")) {
    readLoading(scan, index, `${owner === "process" || owner === "module" ? `${owner}.` : ""}${text}`);
  } else if (text === "constructor" && (isCall || isSign(tokens[index + 1], "["))) {
    found.push({ name: "constructor", offset });
  } else if (
    text === "constructor" &&
    isSign(tokens[index + 1], ".") &&
    tokens[index + 2]?.text === "constructor"
  ) {
    found.push({ name: "constructor", offset });
  }
}

/** What stands alone or behind `globalThis.`. */
function readGlobal(scan: Scan, index: number): void {
  const { tokens, found } = scan;
  const { text, offset } = tokens[index]!;
  const before = tokens[index - 1];
  const next = tokens[index + 1];
  if (before?.text === "function" || before?.text === "class") return;
  // A property's or a method's name.
  if (isSign(next, ":") && (isSign(before, "{") || isSign(before, ","))) return;
  const isCall = isSign(next, "(");
  if (text === "eval") readEval(scan, index);
  else if (text === "Function") {
    const isValue = isSign(before, "=") || isSign(before, "(") || isSign(before, ",");
    if (isCall || before?.text === "new" || (isValue && !isSign(next, ".") && !isSign(next, ">"))) {
      found.push({ name: "Function", offset });
    }
  } else if (text === "require" || text === "import") readLoader(scan, index);
  else if (callables.has(text) && (isCall || before?.text === "new")) found.push({ name: text, offset });
  else if (starting.has(text) || deleting.has(text)) readCall(scan, index);
  else if (
    (text === "setTimeout" || text === "setInterval") &&
    isCall &&
    tokens[index + 2]?.kind === "text"
  ) {
    found.push({ name: text, offset });
  } else if (text === "process" || globals.has(text)) readGlobalObject(scan, index);
}

function readEval({ tokens, found }: Scan, index: number): void {
  const { offset } = tokens[index]!;
  const literal = isSign(tokens[index + 1], "(") ? readLiteral(tokens, index + 2) : undefined;
  found.push({ name: "eval", offset, ...(literal === undefined ? {} : { inner: literal.value }) });
}

/** `require` and `import()`: of a name that is written out, or handed on as a value. */
function readLoader(scan: Scan, index: number): void {
  const { tokens, found } = scan;
  const { text, offset } = tokens[index]!;
  if (isSign(tokens[index + 1], "(")) return readLoading(scan, index, text);
  const before = tokens[index - 1];
  const isValue = isSign(before, "=") || isSign(before, "(") || isSign(before, ",");
  if (text === "require" && isValue && !isSign(tokens[index + 1], ".")) found.push({ name: text, offset });
}

/** The call's argument is a module; any other module than those of the list is no question. */
function readLoading({ tokens, found }: Scan, index: number, name: string): void {
  const { offset } = tokens[index]!;
  const literal = readLiteral(tokens, index + 2);
  if (literal === undefined || name === "createRequire") found.push({ name, offset });
  else {
    const module = findModule(literal.value);
    if (module !== undefined) found.push({ name: module, offset });
  }
}

/** `execSync("...")` or `rmSync("/...")`, whatever object it belongs to. */
function readCall({ tokens, found }: Scan, index: number): void {
  const { text, offset } = tokens[index]!;
  if (!isSign(tokens[index + 1], "(")) return;
  if (deleting.has(text)) {
    const path = readLiteral(tokens, index + 2);
    if (path !== undefined && isForeignPath(path.value)) found.push({ name: `fs.${text}`, offset });
    return;
  }
  const literalCommand = readLiteralCommand(tokens, index + 2);
  if (literalCommand !== undefined) found.push({ name: started, offset, literalCommand });
}

/** `globalThis["ev" + x]`, `process[name]`, `const { binding } = process`. */
function readGlobalObject({ tokens, found }: Scan, index: number): void {
  const { text, offset } = tokens[index]!;
  if (isSign(tokens[index + 1], "[")) {
    const key = readLiteral(tokens, index + 2);
    const isKnown =
      key !== undefined && !processParts.has(key.value) && !/^(?:eval|Function|require)$/.test(key.value);
    if (!isKnown) found.push({ name: text, offset });
  } else if (text === "process" && isSign(tokens[index - 1], "=") && !isSign(tokens[index + 1], ".")) {
    found.push({ name: text, offset });
  }
}
