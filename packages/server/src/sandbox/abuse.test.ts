/** Programs that try to get out, on the real sandbox of this host: as root, as another user, and in QuickJS. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, open, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { abuseCases } from "./abuse-cases.fixture.ts";
import type { AbuseReport } from "./abuse.fixture.ts";
import { isReachable } from "./host.ts";
import { mergeLimits } from "./limits.ts";
import type { PartialLimits } from "./limits.ts";
import { runInQuickjs } from "./quickjs.ts";
import type { LimitName, SandboxOutcome } from "./sandbox.ts";

const fixture = join(import.meta.dirname, "abuse.fixture.ts");
/** A user without rights can be tried only by root, and only where that user can read this checkout and its Node. */
const mayBeSomeoneElse =
  process.getuid?.() === 0 && isReachable(import.meta.dirname) && isReachable(process.execPath);

/** Starts the cases in a process with a planted secret in its environment and an open file that children would inherit. */
async function runFixture(command: readonly string[]): Promise<AbuseReport> {
  const inherited = await open("/etc/passwd", "r");
  try {
    const [program = "", ...args] = [...command, process.execPath, fixture];
    const child = spawn(program, args, {
      env: { PATH: "/usr/bin:/bin", HOMEOSTAT_TEST_SECRET: "PLANTED" },
      stdio: ["ignore", "pipe", "inherit", ...Array.from({ length: 30 }, () => inherited.fd)],
    });
    const parts: Buffer[] = [];
    child.stdout!.on("data", (chunk: Buffer) => parts.push(chunk));
    await new Promise((resolve) => child.on("close", resolve));
    return JSON.parse(Buffer.concat(parts).toString()) as AbuseReport; // printed by abuse.fixture.ts
  } finally {
    await inherited.close();
  }
}

/** Who runs the cases, and the level that has to hold them. */
const runners = [
  {
    who: "the user of the tests",
    levels: ["full", "standard"],
    command: [],
  },
  {
    who: "a user without rights",
    levels: ["standard"],
    command: ["setpriv", "--reuid=65001", "--regid=65001", "--clear-groups"],
  },
] as const;

const cases = abuseCases({ port: 0, path: "", abstract: "", pid: 0 });

describe.each(runners)("bubblewrap started by $who", ({ who, levels, command }) => {
  test.skipIf(command.length > 0 && !mayBeSomeoneElse)(
    `stops all ${cases.length} attempts`,
    { timeout: 120_000 },
    async (context) => {
      const { report, results, leftAlive } = await runFixture(command);
      const failed = report.checks
        .filter((check) => !check.ok)
        .map((check) => `${check.name}: ${check.detail}`);
      context.skip(report.level === "none", `no sandbox for ${who}: ${failed.join("; ")}; ${report.remedy}`);
      expect(levels).toContain(report.level);
      expect(results.map((each) => each.name)).toEqual(cases.map((each) => each.name));
      const escaped = cases.filter((each, index) => {
        const outcome = results[index]!.outcome;
        if (outcome.stdout.includes("ESCAPED")) return true;
        if (each.isSilent === true) return false;
        const isNamed = outcome.limitHit !== undefined && each.limit.includes(outcome.limitHit);
        const isUnnamed =
          each.limit.length === 0 || (each.isUnnamedAtStandard === true && report.level === "standard");
        return !isNamed && !(isUnnamed && outcome.stdout.includes("STOPPED"));
      });
      const names = new Set(escaped.map((each) => each.name));
      expect(results.filter((each) => names.has(each.name))).toEqual([]);
      expect(leftAlive).toEqual([]);
      // What links, pipes and forged archives promised never reached the host.
      const outputs = results.filter((each) =>
        ["links and devices as outputs", "a forged archive"].includes(each.name),
      );
      expect(outputs.map((each) => each.files.filter((file) => file !== "real"))).toEqual([[], []]);
      expect(outputs[0]!.outcome.refused.map((each) => each.path)).toEqual([
        "climbing",
        "folder",
        "link",
        "pipe",
        "real/nested",
      ]);
    },
  );
});

interface ScriptCase {
  readonly name: string;
  readonly source: string;
  readonly limits?: PartialLimits;
  readonly limit?: LimitName;
  /** What stdout or stderr has to hold. */
  readonly text?: RegExp;
}

const scriptCases: readonly ScriptCase[] = [
  { name: "an endless loop", source: "for (;;);", limits: { wallMs: 200 }, limit: "wall" },
  {
    name: "an endless loop that catches all",
    source: "for (;;) try { for (;;); } catch {}",
    limits: { wallMs: 200 },
    limit: "wall",
  },
  {
    name: "endless promises",
    source: "const f = () => Promise.resolve().then(f); f();",
    limits: { wallMs: 200 },
    limit: "wall",
  },
  {
    name: "an expensive pattern",
    source: "/(a+)+$/.test('a'.repeat(40) + 'b')",
    limits: { wallMs: 200 },
    limit: "wall",
  },
  {
    name: "much memory",
    source: "const a = []; for (;;) a.push(new Uint8Array(1e6));",
    limits: { memoryBytes: 32 << 20 },
    limit: "memory",
  },
  {
    name: "a huge text",
    source: "'x'.repeat(2 ** 29) + 'y'.repeat(2 ** 29)",
    limits: { memoryBytes: 32 << 20 },
    limit: "memory",
  },
  {
    name: "a flood of output",
    source: "for (;;) console.log('x'.repeat(1000))",
    limits: { outputBytes: 4096 },
    limit: "output",
  },
  {
    name: "a flood that catches all",
    source: "for (;;) try { console.log('x'.repeat(1000)) } catch {}",
    limits: { outputBytes: 4096 },
    limit: "output",
  },
  {
    name: "a huge file",
    source: "writeFile('a', 'x'.repeat(5000))",
    limits: { fileBytes: 4096 },
    limit: "file-size",
  },
  {
    name: "many files",
    source: "for (let i = 0; ; i++) writeFile('f' + i, 'x')",
    limits: { diskBytes: 65_536 },
    limit: "disk",
  },
  { name: "endless recursion", source: "const f = () => f() + 1; f()", text: /stack overflow/ },
  {
    name: "a deeply nested text",
    source: "JSON.parse('['.repeat(1e6))",
    text: /interpreter stopped|stack overflow/,
  },
  { name: "writing above the folder", source: "writeFile('../escaped', 'x')", text: /EINVAL/ },
  { name: "writing to an absolute path", source: "writeFile('/tmp/escaped', 'x')", text: /EINVAL/ },
  { name: "reading the host", source: "readFile('/etc/passwd')", text: /ENOENT/ },
  { name: "reading above the folder", source: "readFile('../secret')", text: /ENOENT/ },
  { name: "reading through a link", source: "readFile('link')", text: /ENOENT/ },
  { name: "modules of the host", source: "import fs from 'node:fs'; fs.readdirSync('/')", text: /Error/ },
  {
    name: "loading a module later",
    source: "import('node:fs').catch((e) => { console.log('STOPPED', e.message) })",
    text: /STOPPED/,
  },
  {
    name: "the constructor of a host function",
    source:
      "console.log(typeof readFile.constructor('return typeof process === \"undefined\" ? 0 : process')())",
    text: /number/,
  },
  {
    name: "host objects by name",
    source: "console.log(typeof require, typeof process, typeof globalThis.__host, typeof fetch)",
    text: /^undefined undefined undefined undefined\n$/,
  },
  {
    name: "a hidden getter as an argument",
    source: "writeFile({ toString() { throw new Error('STOPPED') } }, 'x')",
    text: /STOPPED/,
  },
];

/** Texts of a size at which V8 would end the whole process if one of them left the interpreter in one piece. */
const huge = "const huge = 'é'.repeat(2 ** 27);";
const roomy: PartialLimits = { memoryBytes: 1 << 30, fileBytes: 1 << 20, outputBytes: 65_536 };
const hugeCases: readonly ScriptCase[] = [
  { name: "printing a huge text", source: `${huge} console.log(huge)`, limits: roomy, limit: "output" },
  { name: "writing a huge text", source: `${huge} writeFile('a', huge)`, limits: roomy, limit: "file-size" },
  { name: "a huge name", source: `${huge} writeFile(huge, 'x')`, limits: roomy, text: /Error/ },
  { name: "a huge name to read", source: `${huge} readFile(huge)`, limits: roomy, text: /Error/ },
  { name: "throwing a huge text", source: `${huge} throw huge`, limits: roomy, text: /ééé/ },
  {
    name: "throwing a huge message",
    source: `${huge} throw new Error(huge)`,
    limits: roomy,
    text: /ééé|out of memory/,
  },
  {
    name: "throwing a huge name",
    source: `${huge} throw { name: huge, message: 1, stack: huge }`,
    limits: roomy,
    text: /ééé|out of memory/,
  },
  {
    name: "a huge toString",
    source: `${huge} throw { message: { toString: () => huge } }`,
    limits: roomy,
    text: /ééé|out of memory/,
  },
  {
    name: "a huge answer of String.prototype.slice",
    source: `${huge} String.prototype.slice = () => huge; console.log('x'); throw 1`,
    limits: roomy,
    text: /too long|out of memory|stopped/,
  },
  {
    name: "a changed JSON",
    source: `JSON.stringify = () => 5; JSON.parse = () => 6; console.log(readFile('small'))`,
    text: /^small\n$/,
  },
  {
    name: "a changed ArrayBuffer.isView",
    source: "ArrayBuffer.isView = () => true; writeFile('a', { buffer: { slice: () => 5 } })",
    text: /Error|stopped/,
  },
];

describe("QuickJS", () => {
  test.each([...scriptCases, ...hugeCases])("stops $name", async ({ source, limits = {}, limit, text }) => {
    const folder = await mkdtemp(join(tmpdir(), "homeostat-quickjs-"));
    try {
      const inputFolder = join(folder, "in");
      const outputFolder = join(folder, "out");
      await mkdir(inputFolder);
      await mkdir(outputFolder);
      await writeFile(join(folder, "secret"), "x");
      await symlink("/etc/passwd", join(inputFolder, "link"));
      await writeFile(join(inputFolder, "small"), "small");
      const outcome: SandboxOutcome = await runInQuickjs(
        {
          language: "javascript",
          source,
          args: [],
          environment: {},
          inputFolder,
          outputFolder,
          limits: mergeLimits({ wallMs: 10_000 }, limits),
          signal: new AbortController().signal,
        },
        systemClock,
      );
      expect(outcome.limitHit).toBe(limit);
      if (text !== undefined) expect(outcome.stdout + outcome.stderr).toMatch(text);
      expect(await readdir(folder)).toEqual(["in", "out", "secret"]);
      expect(outcome.refused).toEqual([{ path: "link", reason: "symbolic link, not copied in" }]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
