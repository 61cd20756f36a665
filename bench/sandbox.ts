/** The sandbox: what isolation costs at the start of a program, beside a plain spawn and `docker run` where an engine is there. */
import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../packages/server/src/base/clock.ts";
import { createSilentLogger } from "../packages/server/src/base/log.ts";
import { mergeLimits } from "../packages/server/src/sandbox/limits.ts";
import { runInQuickjs } from "../packages/server/src/sandbox/quickjs.ts";
import { createSandbox } from "../packages/server/src/sandbox/run-code.ts";
import type { LanguageId, Sandbox, SandboxRequest } from "../packages/server/src/sandbox/sandbox.ts";
import { atLeast, atMost, benchResult, interleave, median, percentile, rounded, timed } from "./bench.ts";
import type { Bar, BenchOptions, BenchResult, Peers, Row } from "./bench.ts";

const rounds = 100;

export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-bench-"));
  try {
    const outputFolder = join(folder, "out");
    await mkdir(outputFolder);
    const { sandbox, selfTestMs } = await measureStart();
    const docker = await findDocker();
    progress(
      `isolation ${sandbox.report().level}, self-test ${Math.round(selfTestMs)} ms, docker: ${docker.text}`,
    );
    const contenders = {
      ...bubblewrapContenders(sandbox, outputFolder),
      quickjs: quickjsContender(outputFolder),
    };
    progress("warming up");
    await interleave(contenders, 5);
    progress(`${rounds} rounds, in turn`);
    const figures = await interleave(contenders, rounds);
    const dockerMs = docker.image === undefined ? undefined : await measureDocker(docker.image);
    progress("ends at the wall limit");
    const lateMs = await measureWallLimit(sandbox, outputFolder);
    const rows = [
      ...Object.entries(figures).map(([name, each]) => describeRow(name, each)),
      ...(dockerMs === undefined ? [] : [describeRow("docker run, true", dockerMs)]),
      describeRow("end after the wall limit", lateMs),
      describeRow("self-test", [selfTestMs]),
    ];
    const peers: Peers = {
      docker: docker.text,
      isolation: `${sandbox.report().level}, cgroup ${sandbox.report().cgroup}`,
    };
    return await benchResult("sandbox", {
      peers,
      rows,
      bars: barsOf(figures, { dockerMs, lateMs, selfTestMs }),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Contender = () => Promise<number>;

const programs = {
  true: { language: "bash", source: "true", plain: ["/usr/bin/bash", "-c", "true"] },
  python: {
    language: "python",
    source: "print('hello')",
    plain: ["/usr/bin/python3", "-c", "print('hello')"],
  },
  node: {
    language: "javascript",
    source: "console.log('hello')",
    plain: [process.execPath, "-e", "console.log('hello')"],
  },
} as const;

/** Each program plain and sandboxed, next to each other in every round. */
function bubblewrapContenders(sandbox: Sandbox, outputFolder: string): Record<BubblewrapName, Contender> {
  const pair = (name: keyof typeof programs): readonly [Contender, Contender] => {
    const { language, source, plain } = programs[name];
    return [
      () => timed(() => runPlain(plain)),
      () => timed(() => runSandboxed(sandbox, { language, source, outputFolder })),
    ];
  };
  const [plainTrue, sandboxTrue] = pair("true");
  const [plainPython, sandboxPython] = pair("python");
  const [plainNode, sandboxNode] = pair("node");
  return {
    "plain, true": plainTrue,
    "sandbox, true": sandboxTrue,
    "plain, python hello": plainPython,
    "sandbox, python hello": sandboxPython,
    "plain, node hello": plainNode,
    "sandbox, node hello": sandboxNode,
  };
}

type BubblewrapName =
  | "plain, true"
  | "sandbox, true"
  | "plain, python hello"
  | "sandbox, python hello"
  | "plain, node hello"
  | "sandbox, node hello";

interface Program {
  readonly language: LanguageId;
  readonly source: string;
  readonly outputFolder: string;
  readonly wallMs?: number;
}

function requestOf({ language, source, outputFolder, wallMs = 20_000 }: Program): SandboxRequest {
  const signal = new AbortController().signal;
  return {
    language,
    source,
    args: [],
    environment: {},
    outputFolder,
    limits: mergeLimits({ wallMs }),
    signal,
  };
}

async function runSandboxed(sandbox: Sandbox, program: Program): Promise<void> {
  const outcome = await sandbox.run(requestOf(program), "standard");
  if (outcome.exitCode !== 0)
    throw new Error(`${program.language} ended with ${outcome.exitCode}: ${outcome.stderr}`);
}

function quickjsContender(outputFolder: string): Contender {
  const request = requestOf({ language: "javascript", source: "console.log('hello')", outputFolder });
  return () => timed(() => runInQuickjs(request, systemClock));
}

/** The same small environment, the same kind of pipes, no isolation. */
function runPlain([command = "", ...args]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { PATH: "/usr/bin:/bin" },
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.resume();
    child.stderr.resume();
    child.on("error", reject);
    child.on("close", () => resolve());
  });
}

async function measureStart(): Promise<{ sandbox: Sandbox; selfTestMs: number }> {
  const startedAtMs = performance.now();
  const sandbox = await createSandbox({ clock: systemClock, log: createSilentLogger(), mayInstall: true });
  const selfTestMs = performance.now() - startedAtMs;
  const { level, remedy } = sandbox.report();
  if (level === "none")
    throw new Error(`This host holds no isolation to measure; to raise the level: ${remedy}`);
  return { sandbox, selfTestMs };
}

/** How much later than the limit the call comes back, everything inside being dead. */
async function measureWallLimit(sandbox: Sandbox, outputFolder: string): Promise<readonly number[]> {
  const wallMs = 100;
  const late: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const program: Program = { language: "bash", source: "trap '' TERM; sleep 10", outputFolder, wallMs };
    late.push((await timed(() => sandbox.run(requestOf(program), "standard"))) - wallMs);
  }
  return late;
}

interface DockerFound {
  readonly text: string;
  /** An image that is on this machine already; nothing is downloaded. */
  readonly image: string | undefined;
}

async function findDocker(): Promise<DockerFound> {
  try {
    const ask = async (...args: readonly string[]): Promise<string> =>
      (await promisify(execFile)("docker", args, { timeout: 5000 })).stdout.trim();
    const version = await ask("version", "--format", "{{.Server.Version}}");
    const [image] = (await ask("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n").filter(Boolean);
    return { text: image === undefined ? `${version}, but it has no image` : `${version}, ${image}`, image };
  } catch {
    return { text: "no engine on this machine, so it was not compared", image: undefined };
  }
}

async function measureDocker(image: string): Promise<readonly number[]> {
  const args = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "true", image];
  return (await interleave({ docker: () => timed(() => runPlain(args)) }, 10)).docker;
}

function describeRow(name: string, figures: readonly number[]): Row {
  return {
    what: name,
    "median ms": rounded(median(figures)),
    "p90 ms": rounded(percentile(figures, 0.9)),
    "p99 ms": rounded(percentile(figures, 0.99)),
  };
}

interface Extra {
  readonly dockerMs: readonly number[] | undefined;
  readonly lateMs: readonly number[];
  readonly selfTestMs: number;
}

function barsOf(
  figures: Readonly<Record<BubblewrapName, readonly number[]>>,
  { dockerMs, lateMs, selfTestMs }: Extra,
): readonly Bar[] {
  const of = (name: BubblewrapName): number => median(figures[name]);
  const sandboxTrue = of("sandbox, true");
  return [
    atMost(
      "EXE-5-true",
      "sandboxed `true`, medians, times a plain spawn",
      sandboxTrue / of("plain, true"),
      8,
    ),
    atMost(
      "EXE-5-python",
      "sandboxed Python hello, medians, ms above plain",
      of("sandbox, python hello") - of("plain, python hello"),
      12,
    ),
    atMost("EXE-3-wall", "end after the wall limit, p99 ms", percentile(lateMs, 0.99), 200),
    atMost("EXE-2-self-test", "self-test at the start, ms", selfTestMs, 1500),
    ...(dockerMs === undefined
      ? []
      : [
          atLeast(
            "EXE-5-docker",
            "`docker run` of `true`, times the sandboxed one",
            median(dockerMs) / sandboxTrue,
            10,
          ),
        ]),
  ];
}
