/** The sandbox as the rest of the server sees it: picks the tier for a request, refuses what this host cannot hold. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import type { Clock } from "../base/clock.ts";
import { digestJson } from "../base/digest.ts";
import { errorMessage, HomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { runInBubblewrap } from "./bubblewrap.ts";
import { openCgroups } from "./cgroup.ts";
import type { CgroupHost } from "./cgroup.ts";
import type { CgroupFiles } from "./cgroup-places.ts";
import { killQuietly } from "./child.ts";
import { createUidPool, findBubblewrapVersion, findHost, isRecentEnough } from "./host.ts";
import type { SandboxHost } from "./host.ts";
import { runCommand as runHostCommand } from "./host-command.ts";
import type { RunCommand } from "./host-command.ts";
import { findInstallCommand, installBubblewrap } from "./install.ts";
import { createLanguages } from "./languages.ts";
import type { Language } from "./languages.ts";
import { requireLimits } from "./limits.ts";
import { openPipes } from "./pipes.ts";
import { isRunning } from "./processes.ts";
import type { ProgramDeps } from "./program.ts";
import { runInQuickjs } from "./quickjs.ts";
import type { IsolationLevel, Sandbox, SandboxOutcome, SandboxReport, SandboxRequest } from "./sandbox.ts";
import { assembleSeccomp, hasSeccompTable } from "./seccomp.ts";
import { reportWithout, selfTest } from "./self-test.ts";
import { createSlots } from "./slots.ts";
import type { Slots } from "./slots.ts";

export interface SandboxDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** False when the operator forbade installing packages. */
  readonly mayInstall: boolean;
  /** One line for the person who started the server; the log by default. */
  readonly say?: (line: string) => void;
  /** Programs at one time; twice the processors, at least 4. More wait, at most `maxWaiting` (64), then SANDBOX_BUSY. */
  readonly maxRunning?: number;
  readonly maxWaiting?: number;
  /** Binary that JavaScript and TypeScript programs run on: this process's own. */
  readonly nodeBinary?: string;
  /** 0 is root; this process's own. */
  readonly uid?: number;
  /** Node's name of the processor; this machine's own. */
  readonly architecture?: string;
  /** How commands of the host are run. */
  readonly runCommand?: RunCommand;
  /** Reports of earlier self-tests by digest of everything they depend on, so that one process measures once. */
  readonly reports?: Map<string, SandboxReport>;
}

/** Programs that the self-test runs side by side. */
const selfTestPrograms = 4;

/** Finds out what this host offers, installs bubblewrap if that is allowed, and measures. Takes up to 1.5 s, without an installation. */
export async function createSandbox(deps: SandboxDeps): Promise<Sandbox> {
  const { clock, log, maxRunning = Math.max(4, 2 * availableParallelism()), maxWaiting = 64 } = deps;
  const slots = createSlots({ maxRunning, maxWaiting });
  const found = await openTier(deps, maxRunning);
  log.info({ level: found.report.level, cgroup: found.report.cgroup }, "sandbox measured");
  return {
    report: () => found.report,
    async run(request, minimum) {
      requireLimits(request.limits);
      requireModestSize(request);
      const language = requireLanguage(found.languages, request);
      const tier = chooseTier(found.report, language, minimum);
      return await inSlot(slots, request.signal, () => {
        if (tier === "quickjs") return runInQuickjs(request, clock);
        return runInBubblewrap(request, language, found.program!); // there whenever the report names the tier
      });
    },
  };
}

interface Tier {
  readonly report: SandboxReport;
  readonly languages: readonly Language[];
  /** Undefined without bubblewrap. */
  readonly program: ProgramDeps | undefined;
}

/** Throws SANDBOX_UNAVAILABLE when no tier at or above `minimum` runs the language. Pure. */
export function chooseTier(
  report: SandboxReport,
  language: Pick<Language, "id">,
  minimum: IsolationLevel,
): "bubblewrap" | "quickjs" {
  const tiers = report.languages.find(({ id }) => id === language.id)?.tiers ?? [];
  if (tiers.includes("bubblewrap") && ranks[report.level] >= ranks[minimum]) return "bubblewrap";
  // The strongest tier is taken even when less would do; QuickJS isolates no system, so it counts as `none`.
  if (tiers.includes("quickjs") && minimum === "none") return "quickjs";
  const failed = report.checks.filter((check) => !check.ok).map((check) => `${check.name}: ${check.detail}`);
  const reason =
    ranks[report.level] >= ranks[minimum] && report.level !== "none"
      ? `${language.id} is not installed on this host`
      : `this host holds level ${report.level} (${failed.join("; ")})`;
  throw new HomeostatError(
    "SANDBOX_UNAVAILABLE",
    `${language.id} needs isolation ${minimum}, but ${reason}`,
    { language: language.id, minimum, level: report.level },
    report.remedy === undefined ? {} : { hint: `To raise the level: ${report.remedy}` },
  );
}

const ranks: { readonly [level in IsolationLevel]: number } = { none: 0, standard: 1, full: 2 };

async function openTier(deps: SandboxDeps, maxRunning: number): Promise<Tier> {
  try {
    return await openBubblewrap(deps, maxRunning);
  } catch (error) {
    // Another operating system, or a host that lacks what every Linux has: JavaScript still runs.
    const languages = createLanguages(process.execPath);
    const remedy = "run Homeostat on Linux with bubblewrap 0.8.0 or newer";
    return {
      report: reportWithout("start", errorMessage(error), remedy, languages),
      languages,
      program: undefined,
    };
  }
}

async function openBubblewrap(deps: SandboxDeps, maxRunning: number): Promise<Tier> {
  const { clock, log, reports, nodeBinary = process.execPath, runCommand = runHostCommand } = deps;
  const { uid = process.getuid!(), architecture = process.arch } = deps;
  const host = await findHost({ nodeBinary, architecture, uid, runCommand });
  const languages = createLanguages(host.nodeBinary);
  if (!hasSeccompTable(architecture)) {
    const detail = `there is no system call table for ${architecture}`;
    const report = reportWithout("processor", detail, "use an x64 or arm64 machine", languages);
    return { report, languages, program: undefined };
  }
  const missing = await findMissing(host, { ...deps, runCommand });
  if (missing !== undefined) return { report: missing(languages), languages, program: undefined };
  const program: ProgramDeps = {
    clock,
    log,
    host,
    cgroups: openHostCgroups(clock, host.isRoot),
    uids: createUidPool(host.takenUids),
    pipes: await openPipes(2 * Math.max(maxRunning, selfTestPrograms), runCommand),
    seccomp: assembleSeccomp(architecture),
  };
  const key = reportKey(host, program.cgroups);
  const report = reports?.get(key) ?? (await selfTest({ ...program, languages }));
  reports?.set(key, report);
  return { report, languages, program };
}

/** Why there can be no bubblewrap tier, as a report; undefined when it can be tried. May install the package. */
async function findMissing(
  host: SandboxHost,
  {
    mayInstall,
    log,
    runCommand,
    say = (line) => log.info({}, line),
  }: SandboxDeps & { readonly runCommand: RunCommand },
): Promise<((languages: readonly Language[]) => SandboxReport) | undefined> {
  let version = host.bubblewrapVersion;
  if (version === undefined) {
    const answer = await installBubblewrap({ mayInstall, isRoot: host.isRoot, runCommand, say });
    if (answer.kind === "left")
      return (languages) =>
        reportWithout("bubblewrap", `missing; ${answer.reason}`, answer.command, languages);
    version = (await findBubblewrapVersion(runCommand)) ?? "0";
  }
  if (isRecentEnough(version)) return undefined;
  const command = await findInstallCommand({ runCommand });
  const detail = `version ${version} is older than 0.8.0`;
  return (languages) => reportWithout("bubblewrap", detail, `${command} (0.8.0 or newer)`, languages);
}

function reportKey(host: SandboxHost, cgroups: CgroupHost): string {
  const { bubblewrapVersion = "", isRoot, nodeBinary } = host;
  const { version, detail } = cgroups;
  return digestJson({
    bubblewrapVersion,
    isRoot,
    nodeBinary,
    kernel: release(),
    node: process.version,
    version,
    detail,
  });
}

/** The control groups of this host, through its real files. */
export function openHostCgroups(clock: Clock, isRoot: boolean): CgroupHost {
  const files: CgroupFiles = {
    makeFolder: (path) => mkdirSync(path),
    removeFolder: (path) => rmdirSync(path),
    list: (path) => readdirSync(path),
    read: (path) => readFileSync(path, "utf8"),
    write: (path, text) => writeFileSync(path, text),
  };
  return openCgroups({ files, clock, pid: process.pid, isRoot, kill: killQuietly, isAlive: isRunning });
}

function requireLanguage(languages: readonly Language[], request: SandboxRequest): Language {
  const language = languages.find(({ id }) => id === request.language);
  if (language !== undefined) return language;
  throw new HomeostatError(
    "SANDBOX_REQUEST_INVALID",
    `There is no language ${JSON.stringify(request.language)}`,
  );
}

/** Source, stdin and arguments are held in memory several times over on their way in. */
const maxRequestBytes = 16 * 1024 * 1024;

function requireModestSize({ source, stdin = "", args }: SandboxRequest): void {
  const bytes = [source, stdin, ...args].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= maxRequestBytes) return;
  throw new HomeostatError(
    "SANDBOX_REQUEST_INVALID",
    `Program, stdin and arguments have ${bytes} bytes, more than ${maxRequestBytes}`,
    { bytes, maxRequestBytes },
    { hint: "Put large data into files of the work folder." },
  );
}

async function inSlot(
  slots: Slots,
  signal: AbortSignal,
  run: () => Promise<SandboxOutcome>,
): Promise<SandboxOutcome> {
  const release = await slots.take(signal);
  try {
    return await run();
  } finally {
    release();
  }
}
