import { execFileSync } from "node:child_process";
import { mkdir, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../base/canonical-json.ts";
import { sha256 } from "../base/digest.ts";
import type { IsolationLevel, SandboxOutcome, SandboxRequest } from "../sandbox/sandbox.ts";
import { toSandboxLimits } from "./code-limits.ts";
import { createCodeTool } from "./code.ts";
import { createTestPlace, perform, prepare } from "./testing-context.ts";
import type { TestPlace } from "./testing-context.ts";
import type { Tool, ToolContext } from "./tool.ts";
import type { CodeArgs } from "./code.ts";

type Run = (request: SandboxRequest, minimum: IsolationLevel) => Promise<Partial<SandboxOutcome>>;

interface CodePlace extends TestPlace {
  readonly tool: Tool<CodeArgs>;
  readonly temporary: string;
  readonly requests: SandboxRequest[];
}

/** A sandbox whose programs do what the test says: the real one has tests of its own. */
async function createCodePlace(run: Run, overrides: Partial<ToolContext> = {}): Promise<CodePlace> {
  const requests: SandboxRequest[] = [];
  const runSandboxed: ToolContext["runSandboxed"] = async (request, minimum) => {
    requests.push(request);
    return { ...quiet, ...(await run(request, minimum)) };
  };
  const place = await createTestPlace({ runSandboxed, ...overrides });
  const temporary = join(place.data, "temporary");
  await mkdir(temporary);
  const tool = createCodeTool({
    forbiddenFolders: [place.data],
    temporaryFolder: temporary,
    canRun: () => true,
  });
  return { ...place, tool, temporary, requests };
}

const quiet: SandboxOutcome = {
  tier: "bubblewrap",
  exitCode: 0,
  signal: null,
  stdout: "",
  stderr: "",
  durationMs: 1,
  written: [],
  deleted: [],
  refused: [],
};

async function outputOf(place: CodePlace, given: JsonObject): Promise<Record<string, unknown>> {
  return (await perform(place.tool, given, place.context)).output as Record<string, unknown>;
}

describe("code_exec.run", () => {
  test("what is approved holds the program's digest, wherever its text lies", async () => {
    const place = await createCodePlace(async () => ({}));
    await writeFile(join(place.workspace, "a.py"), "print(1)");
    const inline = await prepare(place.tool, { language: "bash", source: "true" }, place.context);
    expect(inline).toMatchObject({
      resource: "bash",
      args: { program: { language: "bash", source: "true", sha256: sha256("true") }, workspace: true },
      summary: "run a bash program",
    });
    expect(
      await prepare(place.tool, { language: "python", file: "./a.py", args: ["x"] }, place.context),
    ).toMatchObject({
      resource: "python",
      args: { args: ["x"], program: { language: "python", file: "a.py", sha256: sha256("print(1)") } },
      summary: "run a.py (python)",
    });
  });

  test("the sandbox gets program, workspace, limits and the weakest isolation allowed", async () => {
    let asked: IsolationLevel | undefined;
    const run: Run = async (_request, minimum) => (
      (asked = minimum),
      { stdout: "hi\n", durationMs: 7, cpuMs: 3 }
    );
    const place = await createCodePlace(run, { minimumIsolation: "standard", timeoutMs: 20_000 });
    const given = {
      language: "python",
      source: "x",
      args: ["a"],
      stdin: "in",
      environment: { MODE: "test" },
      limits: { memoryMb: 100 },
    };
    expect(await outputOf(place, given)).toEqual({
      language: "python",
      tier: "bubblewrap",
      exitCode: 0,
      signal: null,
      limitHit: null,
      stdout: "hi\n",
      stderr: "",
      truncated: false,
      written: [],
      deleted: [],
      refused: [],
      durationMs: 7,
      cpuMs: 3,
      peakMemoryBytes: null,
    });
    expect(asked).toBe("standard");
    expect(place.requests[0]).toMatchObject({
      language: "python",
      source: "x",
      args: ["a"],
      stdin: "in",
      inputFolder: place.workspace,
      environment: { MODE: "test" },
      limits: { memoryBytes: 100 * 1024 * 1024, wallMs: 19_000 },
    });
    expect(await readdir(place.temporary)).toEqual([]);
    const empty = await perform(
      place.tool,
      { language: "bash", source: "x", workspace: false },
      place.context,
    );
    expect(place.requests[1]).not.toHaveProperty("inputFolder");
    expect(empty.labels).toEqual(["tool"]);
  });

  test("written files are taken over whole, deletions are only told", async () => {
    const place = await createCodePlace(async ({ outputFolder }) => {
      await mkdir(join(outputFolder, "out"));
      await writeFile(join(outputFolder, "out/new.txt"), "new");
      await writeFile(join(outputFolder, "changed.txt"), "after");
      return { written: ["changed.txt", "out/new.txt"], deleted: ["kept.txt"] };
    });
    await writeFile(join(place.workspace, "changed.txt"), "before");
    await writeFile(join(place.workspace, "kept.txt"), "kept");
    const result = await perform(place.tool, { language: "python", source: "x" }, place.context);
    expect(result).toMatchObject({
      output: { written: ["changed.txt", "out/new.txt"], deleted: ["kept.txt"] },
      labels: ["tool", "file"],
      touchedFiles: true,
    });
    expect(await readFile(join(place.workspace, "out/new.txt"), "utf8")).toBe("new");
    expect(await readFile(join(place.workspace, "changed.txt"), "utf8")).toBe("after");
    expect(await readFile(join(place.workspace, "kept.txt"), "utf8")).toBe("kept");
  });

  test("outputs that play tricks are left behind with the reason, the others are kept", async () => {
    const place = await createCodePlace(async ({ outputFolder }) => {
      await writeFile(join(outputFolder, "good"), "good");
      await symlink("/etc/passwd", join(outputFolder, "link"));
      await symlink("/etc", join(outputFolder, "folder"));
      execFileSync("mkfifo", [join(outputFolder, "pipe")]);
      await writeFile(join(outputFolder, "in-the-way"), "file");
      await writeFile(join(outputFolder, ".homeostat-1.tmp"), "x");
      const written = ["link", "folder/passwd", "pipe", "../escape", "/etc/x", "a\nb", "in-the-way"];
      return {
        written: [...written, ".homeostat-1.tmp", "good"],
        refused: [{ path: "socket", reason: "a socket" }],
      };
    });
    await mkdir(join(place.workspace, "in-the-way"));
    const output = await outputOf(place, { language: "python", source: "x" });
    expect(output["written"]).toEqual(["good"]);
    expect((output["refused"] as { path: string }[]).map((each) => each.path)).toEqual([
      "socket",
      "link",
      "folder/passwd",
      "pipe",
      "../escape",
      "/etc/x",
      "a\nb",
      "in-the-way",
      ".homeostat-1.tmp",
    ]);
    expect((await readdir(place.workspace)).sort()).toEqual(["good", "in-the-way"]);
  });

  test("an output never goes through a link planted in the workspace", async () => {
    const place = await createCodePlace(async ({ outputFolder }) => {
      await mkdir(join(outputFolder, "a"));
      await writeFile(join(outputFolder, "a/x"), "x");
      return { written: ["a/x"] };
    });
    await symlink(place.outside, join(place.workspace, "a"));
    expect(await outputOf(place, { language: "python", source: "x" })).toMatchObject({
      written: [],
      refused: [{ path: "a/x" }],
    });
    await expect(stat(join(place.outside, "x"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a failing program fails the step with its exit code and last words, and nothing is taken over", async () => {
    const place = await createCodePlace(async ({ outputFolder }) => {
      await writeFile(join(outputFolder, "half"), "half");
      return { exitCode: 3, stderr: "Traceback\nValueError: bad\n", written: ["half"] };
    });
    const given = { language: "python", source: "x" };
    await expect(perform(place.tool, given, place.context)).rejects.toMatchObject({
      code: "CODE_FAILED",
      message: "a python program ended with exit code 3: ValueError: bad",
      data: { exitCode: 3, limitHit: null, stderr: "Traceback\nValueError: bad\n" },
    });
    expect(await readdir(place.workspace)).toEqual([]);
    expect(await readdir(place.temporary)).toEqual([]);
    expect(await outputOf(place, { ...given, allowFailure: true })).toMatchObject({
      exitCode: 3,
      written: ["half"],
    });
  });

  test("the last words of a program are those that say what happened, not its stack or the version below it", async () => {
    const stderr =
      "/box/x.js:1\nthrow new Error('no price')\n^\n\nError: no price\n    at main (/box/x.js:1:7)\n\nNode.js v24.21.0\n";
    const place = await createCodePlace(() => Promise.resolve({ exitCode: 1, stderr }));
    await expect(
      perform(place.tool, { language: "python", source: "x" }, place.context),
    ).rejects.toMatchObject({
      message: "a python program ended with exit code 1: Error: no price",
    });
  });

  test("a limit is named with its remedy, a signal by name", async () => {
    const ends: Partial<SandboxOutcome>[] = [
      { exitCode: null, signal: "SIGKILL", limitHit: "wall" },
      { exitCode: 137, limitHit: "memory" },
      { exitCode: null, signal: "SIGSEGV" },
    ];
    const place = await createCodePlace(async () => ends.shift()!);
    const fail = async (message: string, hint: RegExp): Promise<void> => {
      await expect(
        perform(place.tool, { language: "bash", source: "x" }, place.context),
      ).rejects.toMatchObject({
        message,
        hint: expect.stringMatching(hint) as string,
      });
    };
    await fail("a bash program was stopped at its wall limit", /It had 29 seconds: .*timeout/);
    await fail(
      "a bash program was stopped at its memory limit",
      /`limits\.memoryMb` of the step, which was \d+/,
    );
    await fail("a bash program was ended by SIGSEGV", /error output/);
  });

  test("the fallback is judged and run only where this host cannot run the first language", async () => {
    const place = await createCodePlace(async ({ language }) => ({ stdout: language, exitCode: 1 }));
    const fallback = { language: "javascript", source: "1" };
    const given = { language: "python", source: "x", fallback, allowFailure: true };
    expect(await prepare(place.tool, given, place.context)).toMatchObject({
      resource: "python",
      args: { program: { language: "python" } },
    });
    const poor = createCodeTool({
      forbiddenFolders: [],
      temporaryFolder: place.temporary,
      canRun: (language) => language === "javascript",
    });
    const resolved = await prepare(poor, given, place.context);
    expect(resolved).toMatchObject({
      resource: "javascript",
      args: { program: { ...fallback, sha256: sha256("1") } },
      summary: "run a javascript program",
    });
    expect(resolved).not.toHaveProperty("otherResources");
    expect((await poor.execute(resolved, place.context)).output).toMatchObject({ language: "javascript" });
    // A program that failed is not tried in another language.
    await expect(perform(place.tool, { ...given, allowFailure: false }, place.context)).rejects.toMatchObject(
      { code: "CODE_FAILED" },
    );
    expect(place.requests.map((request) => request.language)).toEqual(["javascript", "python"]);
    const without = { language: "python", source: "x" };
    expect(await prepare(poor, without, place.context)).toMatchObject({ resource: "python" });
  });

  test("a program changed after it was judged is not run", async () => {
    const place = await createCodePlace(async () => ({}));
    await writeFile(join(place.workspace, "a.py"), "harmless");
    const resolved = await prepare(place.tool, { language: "python", file: "a.py" }, place.context);
    await writeFile(join(place.workspace, "a.py"), "harmful");
    await expect(place.tool.execute(resolved, place.context)).rejects.toMatchObject({ code: "FILE_CHANGED" });
    expect(place.requests).toHaveLength(0);
  });

  test("no program, two programs, a missing one and one that is not text are refused", async () => {
    const place = await createCodePlace(async () => ({}));
    await writeFile(join(place.workspace, "bytes"), Buffer.from([0xff]));
    for (const [given, code] of [
      [{ language: "python" }, "ACTION_INVALID"],
      [{ language: "python", source: "x", file: "bytes" }, "ACTION_INVALID"],
      [{ language: "python", file: "none" }, "FILE_NOT_FOUND"],
      [{ language: "python", file: "bytes" }, "FILE_INVALID"],
      [{ language: "python", source: "x", environment: { "A=B": "" } }, "ACTION_INVALID"],
      [{ language: "python", source: "x", fallback: { language: "cobol", source: "" } }, "ACTION_INVALID"],
    ] as const) {
      await expect(prepare(place.tool, given, place.context)).rejects.toMatchObject({ code });
    }
  });

  test("long output is cut where a person looks first, and stays recordable", async () => {
    const place = await createCodePlace(async () => ({
      stdout: `a${"😀".repeat(40_000)}`,
      stderr: `${"x".repeat(70_000)}end`,
    }));
    const output = await outputOf(place, { language: "bash", source: "x" });
    expect(output["truncated"]).toBe(true);
    expect((output["stdout"] as string).isWellFormed()).toBe(true);
    expect((output["stderr"] as string).endsWith("end")).toBe(true);
  });
});

describe("limits", () => {
  test("the wall limit ends before the step does, never above what was asked", () => {
    expect(toSandboxLimits({}, 30_000).wallMs).toBe(29_000);
    expect(toSandboxLimits({ wallSeconds: 5 }, 30_000).wallMs).toBe(5_000);
    expect(toSandboxLimits({ wallSeconds: 500 }, 30_000).wallMs).toBe(29_000);
    expect(toSandboxLimits({}, 600_000)).toMatchObject({ wallMs: 599_000, cpuSeconds: 599 });
    expect(toSandboxLimits({}, 50).wallMs).toBe(45);
  });

  test("people's units become bytes, and what is not asked for is the default", () => {
    const limits = toSandboxLimits(
      { memoryMb: 64, outputKb: 1, diskMb: 2, fileMb: 0.5, processes: 9 },
      30_000,
    );
    expect(limits).toMatchObject({
      memoryBytes: 67_108_864,
      outputBytes: 1_024,
      diskBytes: 2_097_152,
      fileBytes: 524_288,
      processes: 9,
      cpuSeconds: 30,
    });
  });
});
