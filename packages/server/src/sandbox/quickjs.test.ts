/** Tests of the QuickJS tier: the interpreter in this thread, and its own thread from outside. Attempts to get out are in abuse.test.ts. */
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { readInputs } from "./inputs.ts";
import { mergeLimits } from "./limits.ts";
import type { PartialLimits } from "./limits.ts";
import { evaluateProgram } from "./quickjs-program.ts";
import { runInQuickjs } from "./quickjs.ts";
import type { SandboxOutcome, SandboxRequest } from "./sandbox.ts";

let inputFolder = "";
let outputFolder = "";
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-quickjs-"));
  inputFolder = join(folder, "in");
  outputFolder = join(folder, "out");
  await mkdir(inputFolder);
  await mkdir(outputFolder);
});
afterEach(() => rm(folder, { recursive: true }));

interface Wish {
  readonly args?: readonly string[];
  readonly stdin?: string;
  readonly limits?: PartialLimits;
}

async function evaluate(
  source: string,
  { args = [], stdin = "", limits = {} }: Wish = {},
): Promise<SandboxOutcome> {
  const all = mergeLimits({ wallMs: 10_000 }, limits);
  const inputs = await readInputs(inputFolder, all);
  return await evaluateProgram(
    { source, args, stdin, inputFolder, inputs, outputFolder, limits: all },
    systemClock,
  );
}

describe("a program in QuickJS", () => {
  test("prints, reads its arguments and stdin, and ends well", async () => {
    const source = `console.log("hello", args, readFile("/dev/stdin")); print(1, null, undefined, true, 2n);
      console.error("problem"); console.warn({ a: 1 }); console.info(); console.debug([1, "x"]);`;
    expect(await evaluate(source, { args: ["a", "é"], stdin: "typed" })).toMatchObject({
      tier: "quickjs",
      exitCode: 0,
      signal: null,
      stdout: 'hello ["a","é"] typed\n1 null undefined true 2\n\n[1,"x"]\n',
      stderr: 'problem\n{"a":1}\n',
      written: [],
      deleted: [],
      refused: [],
    });
  });

  test("shows what cannot be written as JSON in some other way", async () => {
    const source = `const circle = {}; circle.self = circle; console.log(circle, { toJSON() {} }, Symbol("s"), () => 1);
      const error = new Error("e"); delete error.stack; console.log(error, new RangeError("with a stack"));
      error.stack = undefined; console.log(error)`;
    const { stdout, exitCode } = await evaluate(source);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\[object Object\] \[object Object\] Symbol\(s\) \(\) => 1\nError: e\n/);
    expect(stdout).toContain("RangeError: with a stack\n    at ");
  });

  test("reads and writes text and bytes of the work folder", async () => {
    await mkdir(join(inputFolder, "sub"));
    await writeFile(join(inputFolder, "sub/b"), "é");
    await writeFile(join(inputFolder, "a"), Buffer.from([1, 2, 255]));
    const source = `
      print(JSON.stringify(listFiles()), readFile("./sub/b"), readBytes("a").join(), readBytes("a") instanceof Uint8Array);
      writeFile("text", "ü"); writeFile("bytes", new Uint8Array([9, 8, 7]).subarray(1)); writeFile("buffer", new Uint8Array([5]).buffer);
      writeFile("words", new Uint16Array([258])); writeFile("number", 12); writeFile("a", readBytes("a"));
      print(readFile("text"), listFiles().length);`;
    expect(await evaluate(source)).toMatchObject({
      stdout: '["a","sub/b"] é 1,2,255 true\nü 7\n',
      stderr: "",
      written: ["buffer", "bytes", "number", "text", "words"],
    });
    const bytes = await Promise.all(
      ["buffer", "bytes", "number", "text", "words"].map((each) => readFile(join(outputFolder, each))),
    );
    expect(bytes.map((each) => each.toString("hex"))).toEqual(["05", "0807", "3132", "c3bc", "0201"]);
  });

  test("keeps every character of a text, whatever its length", async () => {
    const texts = [
      "",
      "a\0b",
      "\ud800 alone",
      "𝄞".repeat(70_000),
      "é" + "ü".repeat(200_000),
      "\u2028\uFEFF'\"\\",
    ];
    for (const [index, text] of texts.entries()) await writeFile(join(inputFolder, `in${index}`), text);
    const source = `for (const path of listFiles()) {
      const text = readFile(path); writeFile(path.replace("in", "out"), text); console.log(text.length);
    } writeFile("alone", "\ud800"); writeFile("empty", "");`;
    const outcome = await evaluate(source);
    expect(outcome.stderr).toBe("");
    expect(outcome.stdout).toBe(texts.map((text) => `${text.length}\n`).join(""));
    for (const [index, text] of texts.entries())
      expect((await readFile(join(outputFolder, `out${index}`))).equals(Buffer.from(text))).toBe(true);
    expect(await readFile(join(outputFolder, "alone"))).toEqual(Buffer.from("\ud800"));
    expect(outcome.written).toEqual(["alone", "empty", "out0", "out1", "out2", "out3", "out4", "out5"]);
    await writeFile(join(inputFolder, "broken"), Buffer.alloc(200_000, 0x80));
    expect(await evaluate("console.log(readFile('broken').length)")).toMatchObject({ stdout: "200000\n" });
  });

  test("may redeclare the names of the API, and finds none of their host functions", async () => {
    const source = `const args = 1, print = 2; let readFile = 3;
      console.log(args + print + readFile, Object.keys(globalThis).length, typeof __host)`;
    expect(await evaluate(source)).toMatchObject({ stdout: "6 0 undefined\n" });
  });

  test("may be a module and wait outside of functions", async () => {
    expect(
      await evaluate("const x = await Promise.resolve(5); console.log(x); export default x;"),
    ).toMatchObject({
      exitCode: 0,
      stdout: "5\n",
    });
  });

  test.each([
    ["throw new TypeError('bad')", "TypeError: bad\n    at <eval> (main.js:1:20)\n"],
    ["await 1; throw new TypeError('later')", "TypeError: later\n    at <anonymous> (main.js:1:29)\n"],
    ["(async () => { await 1; throw 'text' })()", "text\n"],
    ["throw null", "null\n"],
    ["throw undefined", "undefined\n"],
    ["throw { name: 5, message: 'no error' }", "Error: no error\n"],
    ["throw { message: 1, stack: '' }", "Error: 1\n"],
    ["no program", "SyntaxError: expecting ';'\n    at main.js:1:4\n"],
    ["readFile('missing')", /^Error: ENOENT: there is no file missing\n/],
  ])("that fails says why: %s", async (source, stderr) => {
    const outcome = await evaluate(source);
    expect(outcome).toMatchObject({ exitCode: 1, signal: null, written: [] });
    expect(outcome.stderr).toEqual(typeof stderr === "string" ? stderr : expect.stringMatching(stderr));
  });

  test("keeps what it wrote before it failed, and shows only the top of a deep stack", async () => {
    const outcome = await evaluate(
      "writeFile('a', 'x'); const f = (n) => { if (n === 0) throw new Error('deep'); f(n - 1) }; f(100)",
    );
    expect(outcome).toMatchObject({ exitCode: 1, written: ["a"] });
    expect(outcome.stderr.split("\n").length).toBe(22);
  });

  test("is ended by its time, its processor time or its output, and leaves nothing", async () => {
    const loop = "writeFile('a', 'x'); for (;;);";
    expect(await evaluate(loop, { limits: { wallMs: 100 } })).toMatchObject({
      exitCode: null,
      signal: "SIGKILL",
      limitHit: "wall",
      written: [],
    });
    expect(await evaluate(loop, { limits: { cpuSeconds: 1 } })).toMatchObject({ limitHit: "cpu" });
    const promises = "const f = () => Promise.resolve().then(f); f()";
    expect(await evaluate(promises, { limits: { wallMs: 100 } })).toMatchObject({ limitHit: "wall" });
    const flood = "for (;;) console.log('xxxxxxxxx')";
    const outcome = await evaluate(flood, { limits: { outputBytes: 256 } });
    expect(outcome).toMatchObject({ exitCode: null, limitHit: "output" });
    expect(outcome.stdout.length).toBe(256);
    expect(await readdir(outputFolder)).toEqual([]);
  });

  test("that only just passes the output limit is ended all the same", async () => {
    expect(await evaluate("console.log('x'.repeat(300))", { limits: { outputBytes: 256 } })).toMatchObject({
      exitCode: null,
      limitHit: "output",
    });
  });

  test("without memory says so, and one without stack too", async () => {
    const memory = await evaluate("const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)", {
      limits: { memoryBytes: 32 << 20 },
    });
    expect(memory).toMatchObject({ exitCode: 1, limitHit: "memory" });
    expect(memory.peakMemoryBytes).toBeLessThanOrEqual(32 << 20);
    const jobs = await evaluate(
      "Promise.resolve().then(() => { const a = []; for (;;) a.push('x'.repeat(1e6) + a.length) })",
      {
        limits: { memoryBytes: 32 << 20 },
      },
    );
    expect(jobs.exitCode === 1 || jobs.exitCode === 0).toBe(true);
    expect((await evaluate("JSON.parse('['.repeat(1e6))")).exitCode).toBe(1);
    // Not even an error can be described any more.
    const small = "const a = []; try { for (;;) a.push({}) } catch (e) { for (;;) a.push({}) }";
    expect(await evaluate(small, { limits: { memoryBytes: 16 << 20 } })).toMatchObject({
      exitCode: 1,
      limitHit: "memory",
    });
  });

  test("cannot send a text in one piece that is longer than a piece", async () => {
    const source = "String.prototype.slice = () => 'x'.repeat(1e6); console.log('y')";
    expect((await evaluate(source)).stderr).toContain("a text is too long");
  });
});

describe("the thread of QuickJS", () => {
  const request = (source: string, change: Partial<SandboxRequest> = {}): SandboxRequest => ({
    language: "javascript",
    source,
    args: [],
    environment: {},
    outputFolder,
    limits: mergeLimits({ wallMs: 10_000 }),
    signal: new AbortController().signal,
    ...change,
  });

  test("runs a program beside this one, which goes on meanwhile", async () => {
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 5);
    const source =
      "const until = Date.now() + 300; while (Date.now() < until); writeFile('a', 'x'); console.log('done')";
    const outcome = await runInQuickjs(request(source, { inputFolder, stdin: "" }), systemClock);
    clearInterval(timer);
    expect(outcome).toMatchObject({ exitCode: 0, stdout: "done\n", written: ["a"] });
    expect(ticks).toBeGreaterThan(20);
  });

  test("is ended from outside when the interpreter does not ask for the time", async () => {
    // One call of the engine that takes long and never looks at the clock.
    const source = "for (;;) 'é'.repeat(2 ** 28)";
    const limits = mergeLimits({ wallMs: 50, memoryBytes: 1 << 30 });
    const startedAtMs = performance.now();
    const outcome = await runInQuickjs(request(source, { limits }), systemClock);
    expect(outcome).toMatchObject({ exitCode: null, limitHit: "wall" });
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
  });

  test("is ended when its call is aborted", async () => {
    const abort = new AbortController();
    const running = runInQuickjs(request("for (;;);", { signal: abort.signal }), systemClock);
    setTimeout(() => abort.abort(new Error("cancelled")), 100);
    await expect(running).rejects.toThrow("cancelled");
    await expect(runInQuickjs(request("1", { signal: abort.signal }), systemClock)).rejects.toThrow(
      "cancelled",
    );
  });

  test("is not started when the inputs do not fit", async () => {
    await writeFile(join(inputFolder, "a"), "");
    await truncate(join(inputFolder, "a"), 1 << 20);
    await expect(
      runInQuickjs(request("1", { inputFolder, limits: mergeLimits({ diskBytes: 65_536 }) }), systemClock),
    ).rejects.toMatchObject({ code: "SANDBOX_REQUEST_INVALID" });
  });

  test("that cannot store its outputs is an error", async () => {
    await rm(outputFolder, { recursive: true });
    await writeFile(outputFolder, "");
    await expect(runInQuickjs(request("writeFile('a/b', 'x')"), systemClock)).rejects.toMatchObject({
      code: "SANDBOX_FAILED",
      message: expect.stringContaining("The JavaScript interpreter failed") as string,
    });
    await mkdir(outputFolder).catch(() => undefined);
  });
});
