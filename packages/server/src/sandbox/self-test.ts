/** Measures at start-up what this host's sandbox really holds, by running small programs in it that try to get out. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorMessage } from "../base/error.ts";
import type { Language } from "./languages.ts";
import { mergeLimits } from "./limits.ts";
import { runProgram } from "./program.ts";
import type { Program, ProgramDeps } from "./program.ts";
import { findRemedy } from "./remedy.ts";
import type { IsolationLevel, SandboxLimits, SandboxOutcome, SandboxReport } from "./sandbox.ts";

export interface SelfTestDeps extends ProgramDeps {
  readonly languages: readonly Language[];
}

type Check = SandboxReport["checks"][number];

/** Generous, so that a busy machine is not taken for one that holds nothing. */
const quickLimits: SandboxLimits = mergeLimits({
  wallMs: 20_000,
  cpuSeconds: 10,
  diskBytes: 4 * 1024 * 1024,
});

/**
 * Four programs side by side, together some 200 ms. Level `full` needs root, control groups and every check; `standard`
 * every check but those two; anything less is `none`, and programs other than pure JavaScript are refused. Never rejects.
 */
export async function selfTest(deps: SelfTestDeps): Promise<SandboxReport> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-self-test-"));
  const run = (argv: readonly string[], limits: SandboxLimits): Promise<SandboxOutcome> =>
    runProgram(
      { ...emptyProgram, argv, limits, outputFolder: folder, mounts: mountsOf(deps.languages) },
      deps,
    );
  try {
    const [found, memory, processes, wall] = await Promise.all([
      probe(run, deps.languages),
      attempt("memory limit", () => checkMemory(run)),
      attempt("process limit", () => checkProcesses(run)),
      attempt("wall time", () => checkWallTime(run)),
    ]);
    const checks = [...found.checks, memory, processes, wall, checkGroups(deps), checkUser(deps)];
    return report(deps, checks, found.versions);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is said when the tier cannot even be tried: `name` is the check that failed. */
export function reportWithout(
  name: string,
  detail: string,
  remedy: string,
  languages: readonly Language[],
): SandboxReport {
  return {
    level: "none",
    tiers: ["quickjs"],
    cgroup: "none",
    checks: [{ name, ok: false, detail }],
    remedy,
    languages: describeLanguages(languages, new Map(), "none"),
  };
}

type Run = (argv: readonly string[], limits: SandboxLimits) => Promise<SandboxOutcome>;

const emptyProgram: Omit<Program, "argv" | "limits" | "outputFolder" | "mounts"> = {
  environment: { PATH: "/usr/bin:/bin" },
  files: [],
  reservedBytes: 0,
  stdinFile: undefined,
  inputFolder: undefined,
  signal: new AbortController().signal,
};

function mountsOf(languages: readonly Language[]): Program["mounts"] {
  const mounts = languages.flatMap((language) => language.mounts);
  return [...new Map(mounts.map((mount) => [mount.to, mount])).values()];
}

/**
 * Prints `name=value` lines. Nothing here harms a host whose sandbox fails: the sysctl is written with its own value.
 * The arguments are a port on which the server listens on loopback, then the version probes as shell text.
 */
const probeScript = `
if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then echo network=connected; else echo network=absent; fi
echo "environment=$(tr '\\0' '\\n' </proc/1/environ | cut -d= -f1 | sort | tr '\\n' ' ')"
if unshare --user true 2>/dev/null; then echo namespaces=made; else echo namespaces=refused; fi
while read -r name value _; do
  case $name in Seccomp:) echo "seccomp=$value" ;; CapEff:) echo "capabilities=$value" ;; NoNewPrivs:) echo "privileges=$value" ;; esac
done </proc/self/status
read -r value </proc/sys/kernel/panic
if (echo "$value" >/proc/sys/kernel/panic) 2>/dev/null; then echo sysctl=written; else echo sysctl=refused; fi
seen=
for path in /root /home /etc/passwd /etc/shadow /var /sys /run; do if [ -e "$path" ]; then seen="$seen$path "; fi; done
echo "host=$seen"
shift
echo out >/box/probe
for version; do echo "version=$(timeout 2 $version 2>&1 | head -n 1)"; done
`;

interface Probed {
  readonly checks: readonly Check[];
  /** By language id. */
  readonly versions: ReadonlyMap<string, string>;
}

async function probe(run: Run, languages: readonly Language[]): Promise<Probed> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject).listen(0, "127.0.0.1", () => resolve());
    });
    const port = (server.address() as AddressInfo).port; // listening on a port, not on a path
    const probes = languages.map((language) => language.versionProbe.join(" "));
    const outcome = await run(["bash", "-c", probeScript, "bash", String(port), ...probes], quickLimits);
    const lines = outcome.stdout.split("\n");
    const versions = lines.filter((line) => line.startsWith("version=")).map(findVersion);
    return {
      checks: [
        { name: "start", ok: outcome.exitCode === 0, detail: `${Math.round(outcome.durationMs)} ms` },
        checkFiles(outcome),
        ...isolationChecks(lines),
      ],
      versions: new Map(
        languages.flatMap(({ id }, index) => (versions[index] === undefined ? [] : [[id, versions[index]]])),
      ),
    };
  } catch (error) {
    return { checks: [{ name: "start", ok: false, detail: errorMessage(error) }], versions: new Map() };
  } finally {
    server.close();
  }
}

/** GNU tar packs them inside; without it all files of programs would be lost. */
function checkFiles({ written }: SandboxOutcome): Check {
  const ok = written.includes("probe");
  return { name: "files come out", ok, detail: ok ? "one came" : "none came" };
}

/** Variables that bwrap may have been started with: the small environment, and what shells add to it. */
const harmlessVariables: ReadonlySet<string> = new Set(["LANG", "OLDPWD", "PATH", "PWD", "SHLVL", "_"]);

/** What the probe must have said; exported for its tests. */
export function isolationChecks(lines: readonly string[]): readonly Check[] {
  const value = (name: string): string =>
    lines
      .find((line) => line.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .trim() ?? "not measured";
  const expect = (name: string, measured: string, wanted: string): Check => ({
    name,
    ok: value(measured) === wanted,
    detail: value(measured) || "nothing",
  });
  const variables = value("environment").split(" ");
  return [
    expect("no network", "network", "absent"),
    {
      name: "clean environment",
      ok: variables.every((name) => harmlessVariables.has(name)),
      detail: variables.join(" "),
    },
    expect("no new namespaces", "namespaces", "refused"),
    expect("system call filter", "seccomp", "2"),
    expect("no capabilities", "capabilities", "0000000000000000"),
    expect("no new privileges", "privileges", "1"),
    expect("sysctl read-only", "sysctl", "refused"),
    expect("host files hidden", "host", ""),
  ];
}

/** `version=Python 3.11.2` as `3.11.2`; undefined when the line holds no version, as of a missing program. */
export function findVersion(line: string): string | undefined {
  return /(?:^|[ v=])(\d+\.\d+[\w.]*)/.exec(line)?.[1];
}

async function attempt(name: string, check: () => Promise<Omit<Check, "name">>): Promise<Check> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    return { name, ok: false, detail: errorMessage(error) };
  }
}

async function checkMemory(run: Run): Promise<Omit<Check, "name">> {
  // tail keeps a line without an end in memory.
  const outcome = await run(["sh", "-c", "head -c 256M /dev/zero | tail"], {
    ...quickLimits,
    memoryBytes: 32 * 1024 * 1024,
  });
  // Without control groups a single process meets RLIMIT_DATA first, which nobody reports by name.
  const ok = outcome.limitHit === "memory" || outcome.stderr.includes("memory exhausted");
  return {
    ok,
    detail: ok ? "256 MiB refused at 32 MiB" : "256 MiB given at a limit of 32 MiB",
  };
}

async function checkProcesses(run: Run): Promise<Omit<Check, "name">> {
  const script = "i=0; while [ $i -lt 40 ]; do sleep 2 & i=$((i + 1)); done; echo all";
  const outcome = await run(["sh", "-c", script], { ...quickLimits, processes: 8 });
  const ok = !outcome.stdout.includes("all");
  return { ok, detail: ok ? "40 refused at 8" : "40 started at a limit of 8" };
}

async function checkWallTime(run: Run): Promise<Omit<Check, "name">> {
  const outcome = await run(["sleep", "5"], { ...quickLimits, wallMs: 100 });
  return { ok: outcome.limitHit === "wall", detail: `100 ms took ${Math.round(outcome.durationMs)} ms` };
}

function checkGroups({ cgroups }: SelfTestDeps): Check {
  const ok = cgroups.version !== "none";
  return {
    name: "control groups",
    ok,
    detail: ok ? `${cgroups.version}: ${cgroups.detail}` : cgroups.detail,
  };
}

function checkUser({ host }: SelfTestDeps): Check {
  const detail = host.isRoot ? "an unused user id for each program" : "programs share this server's user id";
  return { name: "own user id", ok: host.isRoot, detail };
}

/** Without these the level is `standard`, not `none`. */
const onlyForFull: ReadonlySet<string> = new Set(["control groups", "own user id"]);

function report(deps: SelfTestDeps, checks: readonly Check[], versions: Probed["versions"]): SandboxReport {
  const failed = checks.filter((check) => !check.ok).map((check) => check.name);
  const level =
    failed.length === 0 ? "full" : failed.every((name) => onlyForFull.has(name)) ? "standard" : "none";
  const remedy = findRemedy(checks, deps.host.isRoot);
  return {
    level,
    tiers: level === "none" ? ["quickjs"] : ["bubblewrap", "quickjs"],
    cgroup: deps.cgroups.version,
    checks,
    ...(remedy === undefined ? {} : { remedy }),
    languages: describeLanguages(deps.languages, versions, level),
  };
}

function describeLanguages(
  languages: readonly Language[],
  versions: Probed["versions"],
  level: IsolationLevel,
): SandboxReport["languages"] {
  return languages.map((language) => {
    const version = versions.get(language.id);
    const tiers = language.tiers.filter(
      (tier) => tier === "quickjs" || (level !== "none" && version !== undefined),
    );
    return {
      id: language.id,
      available: tiers.length > 0,
      ...(version === undefined ? {} : { version }),
      tiers,
    };
  });
}
