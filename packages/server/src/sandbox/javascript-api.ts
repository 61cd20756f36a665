/**
 * The small API that JavaScript programs find in both tiers, so that one program runs in either:
 *
 *   readFile(path): string            text of a file of the work folder (UTF-8); "/dev/stdin" is the run's stdin
 *   readBytes(path): Uint8Array       its bytes
 *   writeFile(path, textOrBytes)      creates or replaces a file; folders above it appear by themselves
 *   listFiles(): string[]             relative paths of all regular files, sorted
 *   args: string[]                    the arguments of the run
 *   console.log, print                one line to stdout; console.error and console.warn to stderr
 *
 * Paths are relative to the work folder. In the bubblewrap tier this is Node with all of `fs`; in the QuickJS tier it
 * is the whole world: no modules, no timers, no network, and `typeof require` is "undefined".
 */

/** CommonJS text given to `node --require`. The names can be redeclared by the program. */
export const nodePreload: string = `"use strict";
{
  const fs = require("node:fs");
  const { dirname } = require("node:path");
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  const list = (folder) =>
    fs.readdirSync(folder || ".", { withFileTypes: true }).flatMap((entry) => {
      const path = folder ? folder + "/" + entry.name : entry.name;
      return entry.isDirectory() ? list(path) : entry.isFile() ? [path] : [];
    });
  const source = (path) => (path === "/dev/stdin" ? 0 : path);
  define("readFile", (path) => fs.readFileSync(source(path), "utf8"));
  define("readBytes", (path) => new Uint8Array(fs.readFileSync(source(path))));
  define("writeFile", (path, data) => {
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, data);
  });
  define("listFiles", () => list("").sort());
  define("print", (...values) => console.log(...values));
  define("args", process.argv.slice(2));
}
`;

/**
 * Evaluated inside QuickJS before the program. The host functions it wraps are taken away from the global object
 * afterwards; \`__write(fd, text)\`, \`__read(path)\`, \`__readText(path)\`, \`__store(path, data)\`, \`__list()\`.
 */
export const quickjsPrelude: string = `"use strict";
{
  const { __write: write, __read: read, __readText: readText, __store: store, __list: list } = globalThis;
  const show = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return String(value) + "\\n" + (value.stack ?? "");
    if (typeof value === "object" && value !== null) {
      try {
        return JSON.stringify(value) ?? String(value);
      } catch {
        return String(value);
      }
    }
    return String(value);
  };
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  const line = (fd) => (...values) => write(fd, values.map(show).join(" ") + "\\n");
  define("console", { log: line(1), info: line(1), debug: line(1), error: line(2), warn: line(2) });
  define("print", line(1));
  define("readFile", (path) => readText(String(path)));
  define("readBytes", (path) => new Uint8Array(read(String(path))));
  define("writeFile", (path, data) => {
    if (data instanceof ArrayBuffer) return store(String(path), data);
    if (!ArrayBuffer.isView(data)) return store(String(path), String(data));
    return store(String(path), data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  });
  define("listFiles", () => JSON.parse(list()));
  define("args", JSON.parse(globalThis.__args));
  for (const name of ["__write", "__read", "__readText", "__store", "__list", "__args"]) delete globalThis[name];
}
`;
