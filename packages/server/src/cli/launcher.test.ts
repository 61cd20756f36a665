import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const launcher = fileURLToPath(new URL("../../homeostat.js", import.meta.url));
/** Makes the launcher believe it runs on Node 20; what it starts then is a process of its own and knows better. */
const pretendOld = [
  "--import",
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"20.0.0"}})',
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-launcher-"));
});
// What ends just now may still write its compiled code.
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));

function start(
  args: readonly string[],
  { file = launcher, options = pretendOld }: { file?: string; options?: readonly string[] } = {},
): ChildProcess {
  const { PATH = "" } = process.env;
  const env = {
    PATH,
    HOME: folder,
    HOMEOSTAT_HOME: join(folder, "data"),
    HOMEOSTAT_SANDBOX_INSTALL: "never",
  };
  return spawn(process.execPath, [...options, file, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

async function startServer(
  options: readonly string[] = pretendOld,
): Promise<{ child: ChildProcess; pid: number }> {
  const child = start(["up", "--port", "0", "--json"], { options });
  let text = "";
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    if (text.trimEnd().endsWith("}")) break;
  }
  return { child, pid: (JSON.parse(text) as { pid: number }).pid };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe("on a Node.js that is too old", () => {
  test("the pinned one is started with the same arguments, output and exit code", async () => {
    const version = await finish(start(["version", "--json"]));
    expect((JSON.parse(version.out) as { node: string }).node).toBe(process.versions.node);
    const wrong = await finish(start(["nonsense"]));
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("unknown command")]);
  });

  test("without a pinned one it says what to do", async () => {
    const file = join(folder, "homeostat.js");
    await copyFile(launcher, file);
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    const { code, out, err } = await finish(start(["up"], { file }));
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(
      /^error: Homeostat needs Node.js 24 or newer; this is v\S+ \(NODE_TOO_OLD\)\n  hint: /,
    );
  });

  test("a signal reaches the server once and its exit code comes back", async () => {
    const { child, pid } = await startServer();
    expect(pid).not.toBe(child.pid);
    const end = finish(child);
    child.kill("SIGINT");
    const { code, err } = await end;
    expect([code, err]).toEqual([0, expect.stringContaining("SIGINT: stopping") as string]);
    expect(isAlive(pid)).toBe(false);
  });

  test("a server whose launcher was killed outright does not stay behind", async () => {
    const { child, pid } = await startServer();
    child.kill("SIGKILL");
    await untilGone(pid);
  });
});

describe.runIf(process.platform === "linux")("a server's memory for new objects", () => {
  const bound = "--max-semi-space-size=8";
  const optionsOf = async (pid: number): Promise<readonly string[]> =>
    (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");

  test("is bounded, in the process that was started", async () => {
    const { child, pid } = await startServer([]);
    expect(pid).toBe(child.pid);
    expect(await optionsOf(pid)).toContain(bound);
    const end = finish(child);
    child.kill("SIGTERM");
    expect((await end).code).toBe(0);
  });

  test("is bounded in a pinned Node.js too, and left alone where somebody has bounded it", async () => {
    for (const [options, isOurs] of [
      [pretendOld, true],
      [["--max-semi-space-size=16"], false],
    ] as const) {
      const { child, pid } = await startServer(options);
      expect((await optionsOf(pid)).includes(bound)).toBe(isOurs);
      const end = finish(child);
      child.kill("SIGTERM");
      await end;
    }
  });
});
