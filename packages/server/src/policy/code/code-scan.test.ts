import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanCode } from "./code-scan.ts";
import type { ScannedLanguage } from "./code-scan.ts";

/** `name@line` of each finding, with its command behind a blank. */
function found(language: ScannedLanguage, source: string): readonly string[] {
  return scanCode(language, source).map(
    ({ name, line, literalCommand }) =>
      `${name}@${line}${literalCommand === undefined ? "" : ` ${literalCommand}`}`,
  );
}

describe("Python", () => {
  test.each<[source: string, ...found: string[]]>([
    ["import os\nos.system('rm -rf /')", "os.system@2 rm -rf /"],
    ["import os as o\no.system('rm ' + \"-rf\" ' /')", "os.system@2 rm -rf /"],
    ["import os\nos.system(x)", "os.system@2"],
    ["from os import (\n  path,\n  system as s,\n)\ns('ls')", "os.system@3", "os.system@5 ls"],
    ["from os import *\nsystem('ls')", "os.system@2 ls"],
    ["import subprocess\nsubprocess.run(['rm', '-r', \"a b\"], check=True)", "subprocess.run@2 rm -r 'a b'"],
    ["import subprocess\nr = subprocess\nr.run(x)", "subprocess@2"],
    ["import os\no = os\no.system('x')", "os@2"],
    ["import os\nos.execv('/bin/rm', ['rm', 'x'])", "os.execv@2 /bin/rm rm x"],
    ["import os, pty\nos.popen('ls'); pty.spawn('sh')", "os.popen@2 ls", "pty.spawn@2 sh"],
    ["eval(x)\nexec(x)\ne = eval", "eval@1", "exec@2", "eval@3"],
    ["eval('1 + 1')\nexec('import os\\nos.system(\"ls\")')", "os.system@2 ls"],
    ["__import__('os').system('ls')\n__import__(x)\n__import__('json')", "os.system@1 ls", "__import__@2"],
    ["import importlib\nimportlib.import_module('json')\nimportlib.import_module(x)", "importlib.import_module@3"],
    ["import ctypes, socket\nctypes.CDLL(None)\nsocket.socket()", "ctypes.CDLL@2", "socket.socket@3"],
    ["import urllib.request, requests\nurllib.request.urlopen(u); requests.get(u)", "urllib.request.urlopen@2", "requests.get@2"],
    ["import shutil\nshutil.rmtree('/srv')\nshutil.rmtree('out')\nshutil.rmtree('/tmp/x')", "shutil.rmtree@2"],
    ["import os\ngetattr(os, 'sys' + 'tem')('ls')\ngetattr(os, x)", "getattr@2", "getattr@3"],
    ["import sys\nsys.modules['os']\n().__class__.__base__.__subclasses__()", "sys.modules@2", "__subclasses__@3"],
    ["import os\nprint(f\"{os.system('ls')!r:>{w}} {'}'}\")", "os.system@2 ls"],
    ["\uff45val(x)", "eval@1"],
    ["import asyncio\nasyncio.create_subprocess_shell('ls')", "asyncio.create_subprocess_shell@2 ls"],
    ["x = 'a", "unparsable@1"],
    ["def f():\n  os.system('ls')\nimport os", "os.system@2 ls"],
    ["import os\ngetattr(__builtins__, 'eval')\ngetattr(os)(1)\nvars(os)", "getattr@2", "__builtins__@2", "getattr@3", "vars@4", "os@4"],
    ["import json\ngetattr(json, x); vars(); getattr(1, x); f(vars)", ...[]],
    ["from subprocess import *\nfrom importlib import import_module as i\ni", "subprocess@1", "importlib.import_module@2", "importlib.import_module@3"],
    ["import shutil\nx = shutil.rmtree", ...[]],
    ["import subprocess\nsubprocess.run('a', ['b c'])\nsubprocess.run(('rm', 'x'))", "subprocess.run@2 a 'b c'", "subprocess.run@3 rm x"],
    ["import os\nos.system(f'a{{b}}c')\nos.system(f'a}b')", "os.system@2 a{b}c", "os.system@3 ab"],
    ["import os\nos.system('\\x41\\101\\u0042\\U00000043')\nos.system('\\N{DASH}')\nos.system('\\U00110000')\nos.system('\\q\\\nx')",
      "os.system@2 AABC", "os.system@3", "os.system@4", "os.system@5 \\qx"],
    ["f'''{x:\n{w}}'''\neval(y)", "eval@3"],
    ["f'{x:\n}'", "unparsable@1"],
    ["f'{x:", "unparsable@1"],
    ["import", ...[]],
    ["from os\nsystem('ls')", ...[]],
    ["f'{x:'", "unparsable@1"],
    ["__import__('os').", ...[]],
    ["eval = 1; eval == f", "eval@1"],
    ["m = __import__('subprocess')\nm.run(x)\nn = __import__('os')", "__import__@1", "__import__@3"],
    ["def f(of):\n  return getattr(of, 'system')", ...[]],
  ])("%j", (source, ...expected) => {
    expect(found("python", source)).toEqual(expected);
  }); // prettier-ignore

  test("comments, texts, methods and other names of the same sound are no calls", () => {
    const source = [
      "# os.system('rm -rf /')",
      "'''import os; os.system(1)'''",
      "import os, re, platform, urllib.parse",
      "model.eval(); platform.system(); re.compile('x'); urllib.parse.quote('x')",
      "requests = []; requests.append(1); os.path.join('a', os.sep); os.makedirs('out')",
      "def eval(self): pass",
      "print(r'\\d', f'{x:{y}}', rb\"\\\"\", hasattr(os, 'fork'), getattr(os, 'O_BINARY', 0))",
    ].join("\n");
    expect(found("python", source)).toEqual([]);
  });
});

describe("JavaScript and TypeScript", () => {
  test.each<[source: string, ...found: string[]]>([
    ["const { execSync } = require('child_process');\nexecSync('rm -rf /')", "child_process@1", "child_process@2 rm -rf /"],
    ["import * as cp from 'node:child_process';\ncp.spawn('rm', ['-r', 'a b'])", "child_process@1", "child_process@2 rm -r 'a b'"],
    ["await import('net'); import(x); require('fs'); require(x)", "net@1", "import@1", "require@1"],
    ["export * from 'http'; import 'vm'", "http@1", "vm@1"],
    ["eval(x); (0, eval)(x); globalThis.eval(x)", "eval@1", "eval@1", "eval@1"],
    ["eval('require(\"net\")')", "net@1"],
    ["new Function('return 1'); Function('x')()", "Function@1", "Function@1"],
    ["[].constructor.constructor('x')(); [][\"constructor\"](1)", "constructor@1", "constructor@1", "constructor@1"],
    ["process.binding('fs'); process[x]; process.getBuiltinModule('vm')", "process.binding@1", "process@1", "vm@1"],
    ["const r = require; const p = process;", "require@1", "process@1"],
    ["fetch(u); new WebSocket(u)", "fetch@1", "WebSocket@1"],
    ["fs.rmSync('/srv', { recursive: true }); fs.rmSync('out'); rm('/tmp/a')", "fs.rmSync@1"],
    ["`${eval(x)} ${`${eval(y)}`}`; /[`/]/.test(a); b / eval(z) / 2", "eval@1", "eval@1", "eval@1"],
    ["\\u0065val(x); ev\\u{61}l(x)", "eval@1", "eval@1"],
    ["globalThis['ev' + 'al'](x)", "globalThis@1"],
    ["if (a) /'/.test(b); eval(x)", "eval@1"],
    ["'a\n", "unparsable@1"],
    ["`a", "unparsable@1"],
    ["x <!-- `\neval(y) // `", "unparsable@1"],
    ["#!/usr/bin/env node\neval(x)", "eval@2"],
    ["x = a.in /eval(y)/ 2; /a/", "eval@1"],
    ["\\u{110000}eval(x); a\u00a0eval(x); '\\u{110000}'", "eval@1"],
    ["\\q eval(x)", "unparsable@1", "eval@1"],
    ["eval('require(\\\r\n\"net\")'); eval('require(\\\r\"net\")')", "net@1", "net@2"],
    ["a.from 'net'; a.import 'net'; module.require('net'); app.require('net'); m.createRequire(u); module.require(x)", "net@1", "net@1", "createRequire@1", "module.require@1"],
    ["f = Function; f(Function); g(a, Function); [Function.name]; x = Function.prototype; y = <Function>z", "Function@1", "Function@1", "Function@1"],
    ["a + /eval(x)/.y; a - b", ...[]],
    ["new WebSocket; a.constructor.constructor('x')", "WebSocket@1", "constructor@1", "constructor@1"],
    ["setTimeout('a()', 5); setInterval(`b`, 5); setTimeout(f)", "setTimeout@1", "setInterval@1"],
    ["require('child_process'); x.execFile('a', ['b c'], o); x.spawn('a', [y]); x.spawn(y)", "child_process@1", "child_process@1 a 'b c'", "child_process@1 a"],
  ])("%j", (source, ...expected) => {
    const names = found("javascript", source);
    expect(names.slice(0, expected.length)).toEqual(expected);
    expect(found("typescript", source)).toEqual(names);
  }); // prettier-ignore

  test("comments, texts, methods and other names of the same sound are no calls", () => {
    const source = [
      "// eval(x)",
      "/* require('net') */ const text = 'eval(x)', more = \"new Function\", last = `require('vm')`;",
      "/eval(x)/.exec(text); client.eval(script); a.exec('ls'); this.constructor.name; x instanceof Function;",
      "const f: Function = () => 1; function fetch() {} ; const o = { eval: 1, exec() {} };",
      "process.env.HOME; process.argv; import.meta.url; require.resolve; globalThis.x; globalThis['y'];",
      "import { readFile } from 'node:fs/promises'; setTimeout(() => 1, 5);",
    ].join("\n");
    expect(found("typescript", source)).toEqual([]);
  });
});

describe("whatever the text", () => {
  test("the scanner answers and never throws", () => {
    const piece = fc.constantFrom(
      "import ", "os", ".system", "(", ")", "'", '"', "'''", "f'{", "}", "`", "${", "/", "\\", "\n", "#", "//", "/*", "from ", " as ",
      "eval", "require", "process", "[", "]", ",", "+", "'a'", "=>", "\\u{61}", "é", "\0", "{", ":", "!r", "0x", "*",
    ); // prettier-ignore
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((parts) => parts.join("")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom("python", "javascript", "typescript" as const),
        text,
        (language, source) => {
          const lines = source.split("\n").length;
          return scanCode(language, source).every(
            ({ line, column }) => line >= 1 && line <= lines && column >= 1,
          );
        },
      ),
      { numRuns: 3_000 },
    );
  });

  const hostile = [
    "(", "f'{", "'", "\"", "'''", "`${", "`", "/[", "a.", "import a,", "eval(", "eval('", "'a'+", "'a' ", "['a',", "\\u0061", "<!--",
    "import os\nos.system('a')\n", "f'{x:{", "from os import *\n", "from a import *\nb\n", "exec(['a',", "process[",
  ]; // prettier-ignore
  test.each(hostile)("256 KB of %j take at most 250 ms of CPU", (part) => {
    const given = part.repeat(Math.ceil(262_144 / part.length));
    for (const language of ["python", "javascript"] as const) {
      const before = process.cpuUsage();
      scanCode(language, given);
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000).toBeLessThan(250);
    }
  });

  test("more than a mebibyte, and code in code in code without end, are not read", () => {
    expect(found("python", "x".repeat(1_048_577))).toEqual(["unparsable@1"]);
    let nested = "x";
    for (let level = 0; level < 7; level++) nested = `eval(${JSON.stringify(nested)})`;
    expect(found("python", nested)).toEqual(["unparsable@1"]);
  });

  test("the example's programs hold nothing to ask about", () => {
    const read = (name: string): string =>
      readFileSync(join(import.meta.dirname, "../../../../../examples/brand-audit", name), "utf8");
    expect(scanCode("python", read("audit.py"))).toEqual([]);
    expect(scanCode("javascript", read("audit.js"))).toEqual([]);
  });
});
