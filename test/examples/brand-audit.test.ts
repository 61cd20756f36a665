/** The shipped example: its workflow is valid, its two programs are twins, and what they find is right. */
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../packages/server/src/base/clock.ts";
import { createSilentLogger } from "../../packages/server/src/base/log.ts";
import { nodePreload } from "../../packages/server/src/sandbox/javascript-api.ts";
import { runInQuickjs } from "../../packages/server/src/sandbox/quickjs.ts";
import { createSandbox } from "../../packages/server/src/sandbox/run-code.ts";
import type { Sandbox } from "../../packages/server/src/sandbox/sandbox.ts";
import { prepareAction } from "../../packages/server/src/tools/prepare-action.ts";
import { createTools } from "../../packages/server/src/tools/registry.ts";
import type { ToolContext } from "../../packages/server/src/tools/tool.ts";
import { checkInputs } from "../../packages/server/src/workflows/workflow-inputs.ts";
import { requireWorkflow } from "../../packages/server/src/workflows/workflow-file.ts";
import { requiredTools } from "../../packages/server/src/workflows/workflow.ts";

const example = join(import.meta.dirname, "../../examples/brand-audit");
const python = "/usr/bin/python3";
const http = { allowedHosts: [], allowPrivate: [], isOwnListener: () => false, resolveHost: async () => [] };
const defaults = ["assets", "2024-01-01", "2025-11-21", "0", "6"];

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly files: Readonly<Record<string, string>>;
}

/** A copy of the example's assets that a test may spoil. */
async function copyAssets(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-example-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(join(example, "assets"), join(folder, "assets"), { recursive: true });
  return folder;
}

async function run(folder: string, command: readonly string[], args: readonly string[]): Promise<Ran> {
  await rm(join(folder, "report"), { recursive: true, force: true });
  const [program = "", ...rest] = command;
  const { status, stdout, stderr } = spawnSync(program, [...rest, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  const names = await readdir(join(folder, "report")).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => [name, await readFile(join(folder, "report", name), "utf8")]),
  );
  return { status, stdout, stderr, files: Object.fromEntries(files) as Record<string, string> };
}

async function runPython(folder: string, args: readonly string[] = defaults): Promise<Ran> {
  return run(folder, [python, join(example, "audit.py")], args);
}

async function runJavaScript(folder: string, args: readonly string[] = defaults): Promise<Ran> {
  await writeFile(join(folder, "preload.cjs"), nodePreload);
  return run(
    folder,
    [process.execPath, "--require", join(folder, "preload.cjs"), join(example, "audit.js")],
    args,
  );
}

test("the workflow is valid without a warning, and every action in it exists", async () => {
  const text = await readFile(join(example, "workflow.yaml"), "utf8");
  const workflow = requireWorkflow(text, { file: "workflow.yaml" });
  const tools = createTools({ forbiddenFolders: [], temporaryFolder: "/tmp", canRun: () => true, http });
  expect(requiredTools(workflow).filter(({ action }) => !tools.has(action))).toEqual([]);
  expect(checkInputs(workflow, {})).toMatchObject({
    ok: true,
    values: { folder: "assets", delete_stale: true },
  });
  expect(checkInputs(workflow, { tolerance: "much" })).toMatchObject({ ok: false });
});

test("the assets are small enough to ship", async () => {
  const names = await readdir(join(example, "assets"), { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    names
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await readFile(join(entry.parentPath, entry.name))).length),
  );
  expect(sizes.length).toBe(22);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(400_000);
});

test("the JavaScript program finds what was planted", async () => {
  const { status, stdout, files } = await runJavaScript(await copyAssets());
  expect(status).toBe(0);
  const findings = JSON.parse(files["findings.json"]!) as Record<string, unknown>;
  expect(JSON.parse(stdout)).toEqual(findings["summary"]);
  expect(findings).toMatchObject({
    summary: { assets: 20, off_brand: 5, stale: 5, too_small: 1, duplicates: 1, unlisted: 1, unreadable: 0 },
    off_brand: [
      "assets/banners/holiday-2022.png",
      "assets/banners/launch-2020.svg",
      "assets/logos/wordmark-2019.png",
      "assets/social/cover-600.png",
      "assets/social/story-2021.png",
    ],
    stale: [
      "assets/banners/holiday-2022.png",
      "assets/banners/launch-2020.svg",
      "assets/banners/spring-2023.png",
      "assets/logos/wordmark-2019.png",
      "assets/social/story-2021.png",
    ],
    too_small: ["assets/logos/mark-48.png"],
    duplicates: ["assets/icons/cup-copy.png"],
  });
  expect(files["report.md"]).toContain("`assets/icons/cup-copy.png`: same bytes as `assets/icons/cup.png`");
  expect(files["chart.svg"]).toMatch(/^<svg [^>]*>\n<title>Brand audit of assets<\/title>/);
});

describe.skipIf(!existsSync(python))("the Python program and its JavaScript twin", () => {
  const expectTwins = async (folder: string, args: readonly string[] = defaults): Promise<Ran> => {
    const first = await runPython(folder, args);
    const second = await runJavaScript(folder, args);
    expect(second.status).toBe(first.status);
    expect(second.stdout).toBe(first.stdout);
    expect(second.files).toEqual(first.files);
    return second;
  };

  test.each([
    ["the defaults", defaults],
    ["an age instead of a day", ["assets", "2024-01-01", "2024-03-01", "366", "6"]],
    ["a strict eye", ["assets", "2030-01-01", "2025-11-21", "0", "0.55"]],
    ["a lenient eye", ["assets", "1990-01-01", "2025-11-21", "0", "100"]],
    ["a fraction of tolerance", ["assets", "2024-01-01", "2025-11-21", "0", "6.25"]],
  ])("write the same bytes with %s", async (_name, args) => {
    const { status, files } = await expectTwins(await copyAssets(), args);
    expect(status).toBe(0);
    expect(Object.keys(files).sort()).toEqual(["chart.svg", "findings.json", "report.md"]);
  });

  test("agree on every form of PNG, on names in other scripts, and on what is damaged", async () => {
    const folder = await copyAssets();
    const put = async (name: string, bytes: Uint8Array | string): Promise<void> =>
      writeFile(join(folder, "assets", name), bytes);
    const good = png({ colourType: 6, pixel: [31, 91, 74, 255] });
    await put("grey-alpha.png", png({ colourType: 4, pixel: [23, 200] }));
    await put("stored.png", png({ colourType: 2, pixel: [226, 96, 59], level: 0 }));
    await put("huffman-only.png", png({ colourType: 2, pixel: [226, 96, 59], strategy: 2 }));
    await put("fixed.png", png({ colourType: 2, pixel: [1, 2, 3], strategy: 4 }));
    await put("filter-3.png", png({ colourType: 2, pixel: [9, 8, 7], filter: 3 }));
    await put("filter-4.png", png({ colourType: 6, pixel: [5, 4, 3, 255], filter: 4 }));
    await put("clear.png", png({ colourType: 6, pixel: [31, 91, 74, 0] }));
    await put("größe-標-😀.png", good);
    await put("\uffee.png", good);
    await put(
      "a & <b> 'c'.svg",
      '<svg width="12px" height=9><path style="fill: #FFF"/><a stroke=#12345678></svg>',
    );
    await put("empty.svg", "");
    await put("UPPER.PNG", good);
    await put("empty.png", "");
    await put("text.png", "not a picture");
    await put("deep.png", png({ colourType: 2, pixel: [1, 2, 3], depth: 16 }));
    await put("interlaced.png", png({ colourType: 2, pixel: [1, 2, 3], interlaced: 1 }));
    await put("wrong-filter.png", png({ colourType: 2, pixel: [1, 2, 3], filter: 5 }));
    await put("no-table.png", png({ colourType: 3, pixel: [4] }));
    await put("too-few.png", png({ colourType: 2, pixel: [1, 2, 3], height: 9 }));
    await put("bomb.png", png({ colourType: 2, pixel: [1, 2, 3], height: 1 }));
    for (const length of [9, 20, 33, 40, 50, 60, good.length - 14])
      await put(`cut-${length}.png`, good.subarray(0, length));
    for (const at of [42, 45, 48, 52, good.length - 18]) {
      const bad = Uint8Array.from(good);
      bad[at]! ^= 0x55;
      await put(`flipped-${at}.png`, bad);
    }
    const { status, files } = await expectTwins(folder);
    expect(status).toBe(0);
    const { assets } = JSON.parse(files["findings.json"]!) as { assets: { path: string; problem: string }[] };
    const problems = new Map(assets.map((asset) => [asset.path.slice(7), asset.problem]));
    expect(problems.get("größe-標-😀.png")).toBe("");
    expect(problems.get("filter-4.png")).toBe("");
    expect(problems.get("deep.png")).toBe("a form of PNG this audit does not read");
    for (const name of [
      "wrong-filter.png",
      "no-table.png",
      "too-few.png",
      "bomb.png",
      "flipped-48.png",
      "cut-50.png",
    ]) {
      expect([name, problems.get(name)]).toEqual([name, "damaged"]);
    }
  });

  test("agree on quoted tables, and both end with the reason when a table is wrong", async () => {
    const folder = await copyAssets();
    const usage = join(folder, "assets/usage.csv");
    const head = "\uFEFFpath,used_in,last_used,min_width\r\n";
    await writeFile(
      usage,
      `${head}\r\n"icons/cup.png","Menu, ""front""\nand back",2020-01-01,96\r\nicons/leaf.png,,2025-01-01,0`,
    );
    const { files } = await expectTwins(folder);
    expect(files["report.md"]).toContain('last used 2020-01-01, Menu, "front"\nand back');
    for (const [text, reason] of [
      ["path,used_in\n", "must begin with the columns"],
      [`${head}a,b,2024-01-01\n`, "has 3 columns"],
      [`${head}a,b,soon,1\n`, "needs a day"],
      [`${head}a,b,2024-01-01,wide\n`, "needs a day"],
    ]) {
      await writeFile(usage, text!);
      for (const ran of [await runPython(folder), await runJavaScript(folder)]) {
        expect(ran).toMatchObject({ status: 1, files: {} });
        expect(ran.stderr).toContain(reason);
      }
    }
  });
});

test("in the real sandbox, Python, JavaScript and the built-in interpreter write the same files", async () => {
  const sandbox = await createSandbox({ clock: systemClock, log: createSilentLogger(), mayInstall: false });
  const quickjsOnly: Sandbox = { ...sandbox, run: (request) => runInQuickjs(request, systemClock) };
  const runs: Readonly<Record<string, string>>[] = [];
  for (const [language, file, tier] of [
    ["python", "audit.py", sandbox],
    ["javascript", "audit.js", sandbox],
    ["javascript", "audit.js", quickjsOnly],
  ] as const) {
    const isThere = tier.report().languages.some(({ id, available }) => id === language && available);
    if (isThere) runs.push(await runTool(tier, language, file));
  }
  expect(runs.length).toBeGreaterThan(0);
  for (const files of runs) expect(files).toEqual(runs[0]);
});

/** The audit as the workflow's own step runs it; answers with what is in the workspace afterwards. */
async function runTool(
  sandbox: Sandbox,
  language: string,
  file: string,
): Promise<Readonly<Record<string, string>>> {
  const folder = await copyAssets();
  await cp(join(example, file), join(folder, file));
  const temporaryFolder = await mkdtemp(join(tmpdir(), "homeostat-outputs-"));
  onTestFinished(() => rm(temporaryFolder, { recursive: true }));
  const deps = { forbiddenFolders: [], temporaryFolder, canRun: () => true, http };
  const tool = createTools(deps).get("code_exec.run")!;
  const context: ToolContext = {
    tenant: "default",
    runId: "run_1",
    stepPath: "audit",
    attempt: 1,
    idempotencyKey: "run_1/audit/1",
    roots: [{ name: "workspace", path: folder, writable: true }],
    signal: AbortSignal.timeout(100_000),
    requireTime: () => undefined,
    clock: systemClock,
    minimumIsolation: "none",
    timeoutMs: 60_000,
    progress: () => undefined,
    requireFurther: () => undefined,
    runSandboxed: (request, minimum) => sandbox.run(request, minimum),
  };
  const resolved = await prepareAction(tool, { language, file, args: defaults }, context);
  const { output } = await tool.execute(resolved, context);
  const written = ["report/chart.svg", "report/findings.json", "report/report.md"];
  expect(output).toMatchObject({ exitCode: 0, written, deleted: [], refused: [] });
  const texts = await Promise.all(written.map((path) => readFile(join(folder, path), "utf8")));
  return Object.fromEntries(written.map((path, index) => [path, texts[index]!]));
}

interface PngShape {
  readonly colourType: number;
  readonly pixel: readonly number[];
  readonly depth?: number;
  readonly interlaced?: number;
  readonly filter?: number;
  /** What the header says; there are always 8 rows of 8 pixels. */
  readonly height?: number;
  readonly level?: number;
  readonly strategy?: number;
}

function png(shape: PngShape): Buffer {
  const row = Buffer.from([shape.filter ?? 0, ...Array.from({ length: 8 }, () => shape.pixel).flat()]);
  const pixels = Buffer.concat(Array.from({ length: 8 }, () => row));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(8, 0);
  header.writeUInt32BE(shape.height ?? 8, 4);
  header.set([shape.depth ?? 8, shape.colourType, 0, 0, shape.interlaced ?? 0], 8);
  const data = deflateSync(pixels, { level: shape.level ?? 9, strategy: shape.strategy ?? 0 });
  const chunks = [chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]);
}

/** Without a true CRC: the audit leaves that to the checksum of the data. */
function chunk(name: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, Buffer.from(name), body, Buffer.alloc(4)]);
}
