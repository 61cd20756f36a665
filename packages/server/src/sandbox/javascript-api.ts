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

/** Texts cross into and out of QuickJS in pieces of this many UTF-16 code units. */
export const pieceUnits = 65_536;

/**
 * Evaluated inside QuickJS before the program; its value is the function that describes an error. The host functions it
 * wraps are taken away from the global object afterwards.
 *
 * Texts cross as JSON, since a NUL would end them otherwise, and in pieces, since a text of hundreds of megabytes would
 * not end the program's thread for want of memory but the whole server (measured: V8 aborts the process).
 */
export const quickjsPrelude: string = `"use strict";
(() => {
  const host = globalThis.__host;
  delete globalThis.__host;
  const { parse, stringify } = JSON;
  const show = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return String(value) + "\\n" + (value.stack ?? "");
    if (typeof value === "object" && value !== null) {
      try {
        return stringify(value) ?? String(value);
      } catch {
        return String(value);
      }
    }
    return String(value);
  };
  const send = (text, take) => {
    for (let start = 0; start < text.length; ) {
      let end = start + ${pieceUnits};
      const last = text.charCodeAt(end - 1);
      if (end < text.length && last >= 0xd800 && last < 0xdc00) end -= 1; // keeps a pair together
      take(stringify(text.slice(start, end)));
      start = end;
    }
  };
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  const line = (descriptor) => (...values) =>
    send(values.map(show).join(" ") + "\\n", (piece) => host.print(descriptor, piece));
  define("console", { log: line(1), info: line(1), debug: line(1), error: line(2), warn: line(2) });
  define("print", line(1));
  define("readFile", (path) => {
    const pieces = [];
    const count = host.open(stringify(String(path)));
    for (let index = 0; index < count; index += 1) pieces.push(parse(host.piece(index)));
    return pieces.join("");
  });
  define("readBytes", (path) => new Uint8Array(host.bytes(stringify(String(path)))));
  define("writeFile", (path, data) => {
    host.begin(stringify(String(path)));
    if (data instanceof ArrayBuffer) host.appendBytes(data);
    else if (ArrayBuffer.isView(data))
      host.appendBytes(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
    else send(String(data), (piece) => host.append(piece));
    host.end();
  });
  define("listFiles", () => parse(host.list()));
  define("args", parse(host.args()));
  return (thrown) => {
    let text = "unprintable error";
    try {
      if (typeof thrown === "object" && thrown !== null && "message" in thrown) {
        const name = typeof thrown.name === "string" ? thrown.name : "Error";
        const stack = typeof thrown.stack === "string" ? thrown.stack.split("\\n").slice(0, 20).join("\\n").trimEnd() : "";
        text = name + ": " + thrown.message + (stack === "" ? "" : "\\n" + stack);
      } else text = typeof thrown === "object" ? stringify(thrown) : show(thrown);
    } catch {
      // A getter of the thrown object itself threw.
    }
    return stringify(text.slice(0, 16384));
  };
})()`;
