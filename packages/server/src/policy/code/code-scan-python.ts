/** Which names of Python raise a question, and where a program uses them, under whatever name it imported them. */
import { isForeignPath, isSign, readLiteral, readLiteralCommand } from "./code-scan-tokens.ts";
import type { Found, Token } from "./code-scan-tokens.ts";

/** Every use of these modules raises a question. */
const wholeModules: ReadonlySet<string> = new Set([
  "subprocess", "ctypes", "cffi", "pty", "socket", "socketserver", "ssl", "ftplib", "smtplib", "imaplib", "poplib",
  "telnetlib", "requests", "httpx", "aiohttp", "urllib3", "websockets", "paramiko", "pexpect", "runpy", "code", "codeop",
  "urllib.request", "http.client", "http.server", "xmlrpc.client", "xmlrpc.server", "commands", "popen2", "_posixsubprocess",
]); // prettier-ignore

/** Single functions; a star stands for any ending. */
const functions =
  /^(?:(?:os|posix)\.(?:system|popen\w*|exec\w+|spawn\w+|posix_spawnp?|startfile|kill|killpg|fork|forkpty|__dict__)|builtins\.(?:eval|exec|compile|__import__)|importlib\.(?:import_module|__import__|util\.spec_from_file_location|util\.module_from_spec)|asyncio\.(?:create_subprocess_\w+|open_connection|open_unix_connection|start_server)|sys\.modules|gc\.get_objects|multiprocessing\.(?:connection|managers)\b.*)$/;

/** Deleting is only asked about when the path is written out and not the program's own. */
const deleting = /^(?:shutil\.rmtree|os\.(?:remove|unlink|rmdir|removedirs))$/;

/** Modules with functions above: their bare name in a value could become any of them. */
const guarded: ReadonlySet<string> = new Set(["os", "posix", "builtins"]);

const builtins: ReadonlySet<string> = new Set(["eval", "exec", "__import__", "__builtins__"]);
const innards: ReadonlySet<string> = new Set([
  "__subclasses__", "__globals__", "__builtins__", "__loader__", "__code__", "__reduce_ex__",
]); // prettier-ignore

export function findPythonCalls(tokens: readonly Token[]): readonly Found[] {
  const scan: Scan = { tokens, names: new Map(), stars: [], found: [] };
  // A function may use what is imported below it.
  readAll({ ...scan, found: [] }, (_, index) => index + 1);
  readAll(scan, readUse);
  return scan.found;
}

/** `use` answers the index behind the name it was given. */
function readAll(scan: Scan, use: (scan: Scan, index: number) => number): void {
  const { tokens } = scan;
  for (let index = 0; index < tokens.length;) {
    const token = tokens[index]!;
    if (token.kind !== "name") index++;
    else if (token.text === "import" && isStatement(tokens, index)) index = readImport(scan, index + 1);
    else if (token.text === "from" && isStatement(tokens, index)) index = readFrom(scan, index + 1);
    else index = use(scan, index);
  }
}

interface Scan {
  readonly tokens: readonly Token[];
  /** What a name of the program stands for: `sp` for `subprocess`, `run` for `subprocess.run`. */
  readonly names: Map<string, string>;
  /** Modules of `guarded` of which everything was imported. */
  readonly stars: string[];
  readonly found: Found[];
}

function isStatement(tokens: readonly Token[], index: number): boolean {
  const before = tokens[index - 1];
  return before === undefined || before.kind === "line" || isSign(before, ";") || isSign(before, ":");
}

function isRisky(path: string): boolean {
  if (functions.test(path)) return true;
  for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) {
    if (wholeModules.has(path.slice(0, end))) return true;
  }
  return false;
}

/** `a.b.c` at `index`. */
function readPath(tokens: readonly Token[], index: number): { readonly path: string; readonly end: number } {
  let path = tokens[index]?.text ?? "";
  let end = index + 1;
  while (isSign(tokens[end], ".") && tokens[end + 1]?.kind === "name" && path.length < 200) {
    path += `.${tokens[end + 1]!.text}`;
    end += 2;
  }
  return { path, end };
}

function readImport({ tokens, names }: Scan, index: number): number {
  let at = index;
  while (tokens[at]?.kind === "name") {
    const { path, end } = readPath(tokens, at);
    at = end;
    if (tokens[at]?.text === "as" && tokens[at + 1]?.kind === "name") {
      names.set(tokens[at + 1]!.text, path);
      at += 2;
    } else {
      const first = path.split(".", 1)[0]!;
      names.set(first, first);
    }
    if (!isSign(tokens[at], ",")) break;
    at++;
  }
  return at;
}

function readFrom({ tokens, names, stars, found }: Scan, index: number): number {
  if (tokens[index]?.kind !== "name") return index;
  const { path: module, end } = readPath(tokens, index);
  if (tokens[end]?.text !== "import") return end;
  let at = end + 1;
  if (isSign(tokens[at], "*")) {
    if (guarded.has(module) && !stars.includes(module)) stars.push(module);
    if (isRisky(module)) found.push({ name: module, offset: tokens[at]!.offset });
    return at + 1;
  }
  const hasBrackets = isSign(tokens[at], "(");
  if (hasBrackets) at++;
  while (tokens[at]?.kind === "name") {
    const { text, offset } = tokens[at]!;
    const path = `${module}.${text}`;
    const isRenamed = tokens[at + 1]?.text === "as" && tokens[at + 2]?.kind === "name";
    names.set(isRenamed ? tokens[at + 2]!.text : text, path);
    if (isRisky(path)) found.push({ name: path, offset });
    at += isRenamed ? 3 : 1;
    if (!isSign(tokens[at], ",")) break;
    at++;
  }
  return at;
}

/** A name in use; answers the index behind what it looked at. */
function readUse(scan: Scan, index: number): number {
  const { tokens, names, stars, found } = scan;
  const { text, offset } = tokens[index]!;
  const before = tokens[index - 1];
  if (isSign(before, ".")) {
    if (innards.has(text)) found.push({ name: text, offset });
    return index + 1;
  }
  if (before?.text === "def" || before?.text === "class") return index + 1;
  const module = readImportedModule(scan, index);
  if (module !== undefined) return module;
  const { path: written, end } = readPath(tokens, index);
  const star = stars.find((each) => !written.includes(".") && functions.test(`${each}.${written}`));
  const known = star === undefined ? names.get(text) : `${star}.${text}`;
  if (known === undefined) {
    if (builtins.has(text)) readBuiltin(scan, index);
    if (text === "getattr" || text === "vars") readReflection(scan, index);
    return index + 1;
  }
  judgePath(scan, { path: known + written.slice(text.length), offset, end });
  return end;
}

interface Use {
  readonly path: string;
  readonly offset: number;
  readonly end: number;
}

function judgePath({ tokens, found }: Scan, { path, offset, end }: Use): void {
  const isCall = isSign(tokens[end], "(");
  if (deleting.test(path)) {
    const target = isCall ? readLiteral(tokens, end + 1) : undefined;
    if (target !== undefined && isForeignPath(target.value)) found.push({ name: path, offset });
    return;
  }
  if (/^importlib\.(?:import_module|__import__)$/.test(path)) {
    const name = isCall ? readLiteral(tokens, end + 1) : undefined;
    if (name === undefined || isRisky(name.value) || guarded.has(name.value))
      found.push({ name: path, offset });
    return;
  }
  if (isRisky(path)) {
    const literalCommand = isCall ? readLiteralCommand(tokens, end + 1) : undefined;
    const isCommand = /^(?:os|posix|subprocess|pty|asyncio|pexpect|commands)\./.test(path);
    found.push({
      name: path,
      offset,
      ...(isCommand && literalCommand !== undefined ? { literalCommand } : {}),
    });
    return;
  }
  if (!guarded.has(path) || isSign(tokens[end], "=")) return;
  // `getattr(os, "O_BINARY")` is judged by its text, `hasattr` only looks.
  const caller = tokens[end - 3]?.text;
  if (caller !== "getattr" && caller !== "hasattr") found.push({ name: path, offset });
}

/** `__import__("os").system(...)` is `os.system(...)`. Answers the index behind it, undefined when it is none. */
function readImportedModule(scan: Scan, index: number): number | undefined {
  const { tokens } = scan;
  const { text, offset } = tokens[index]!;
  if (text !== "__import__" || !isSign(tokens[index + 1], "(")) return undefined;
  const name = readLiteral(tokens, index + 2);
  if (name === undefined || !isSign(tokens[name.end], ")") || !isSign(tokens[name.end + 1], "."))
    return undefined;
  const { path, end } = readPath(tokens, name.end + 2);
  judgePath(scan, { path: `${name.value}.${path}`, offset, end });
  return end;
}

function readBuiltin({ tokens, found }: Scan, index: number): void {
  const { text, offset } = tokens[index]!;
  if (isSign(tokens[index + 1], "=") && !isSign(tokens[index + 2], "=")) return;
  const literal = isSign(tokens[index + 1], "(") ? readLiteral(tokens, index + 2) : undefined;
  if (literal === undefined) found.push({ name: text, offset });
  else if (text === "__import__") {
    if (isRisky(literal.value) || guarded.has(literal.value)) found.push({ name: text, offset });
  } else found.push({ name: text, offset, inner: literal.value });
}

/** `getattr(os, "sys" + "tem")`, `vars(os)`. */
function readReflection({ tokens, names, found }: Scan, index: number): void {
  const target = tokens[index + 2];
  if (!isSign(tokens[index + 1], "(") || target?.kind !== "name") return;
  const known = names.get(target.text) ?? (target.text === "__builtins__" ? "builtins" : undefined);
  if (known === undefined || !(guarded.has(known) || isRisky(known))) return;
  const attribute = isSign(tokens[index + 3], ",") ? readLiteral(tokens, index + 4) : undefined;
  const path = `${known}.${attribute?.value ?? "?"}`;
  if (attribute !== undefined && !isRisky(path)) return;
  found.push({ name: tokens[index]!.text, offset: tokens[index]!.offset });
}
