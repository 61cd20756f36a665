/** Turns what a program runs and calls into resources for policy: `bash/rm` for a command, `python/!os.system` for a call. */
import { scanCode } from "../policy/code/code-scan.ts";
import type { ScannedLanguage } from "../policy/code/code-scan.ts";
import { hidesSubstitution, holdsSubstitution } from "../policy/shell/shell-hidden.ts";
import { commandName } from "../policy/shell/shell-names.ts";
import { parseShell } from "../policy/shell/shell.ts";
import type { Place, ShellOptions, SimpleCommand } from "../policy/shell/shell.ts";
import type { LanguageId } from "../sandbox/sandbox.ts";
import { assignsLoading, isLoadingValue } from "./code-commands-variables.ts";
import { writesSettings } from "./git-files.ts";
import { describeForms, findProgramText } from "./code-commands-forms.ts";
import type { ProgramText } from "./code-commands-forms.ts";

export interface ProgramCommands {
  /** In the order of the text, each once, at most 64; with more the least alarming give way to `!too-many`. */
  readonly resources: readonly string[];
  /** For people, in the same order: "bash/rm: line 3". */
  readonly calls: readonly string[];
  /** The one of `calls` that a person should see first; null when all are ordinary. */
  readonly worst: string | null;
}

const mostResources = 64;

/** `environment`: variables the program is started with, `1` and on are its arguments. Never throws; time linear in the text. */
export function findProgramCommands(
  language: LanguageId,
  text: string,
  environment: Readonly<Record<string, string>>,
): ProgramCommands {
  const lines = new Map<string, number>();
  collect({ lines, language, depth: 0 }, { language, text }, undefined);
  if (
    Object.entries(environment).some(
      ([name, value]) => isLoadingValue(name, value) || (language === "bash" && isHidden(value, text)),
    )
  ) {
    note(lines, `${language}/!environment`, 1);
  }
  const resources = limit([...lines.keys()], language);
  const calls = resources.map((resource) => `${resource}: line ${lines.get(resource) ?? 1}`);
  const ranks = resources.map(alarmOf);
  const highest = Math.max(0, ...ranks);
  return { resources, calls, worst: highest === 0 ? null : calls[ranks.indexOf(highest)]! };
}

/** A value that runs something when the program computes with it: `a[$(x)]`, or `$(x)` where the program puts it in a subscript. */
function isHidden(value: string, text: string): boolean {
  return hidesSubstitution(value) || (text.includes("[") && holdsSubstitution(value));
}

/**
 * How alarming a resource is, for the summary people see; 0 is ordinary. What is asked and what is denied is decided by
 * policy alone; the shipped policy asks for everything above 0.
 */
export function alarmOf(resource: string): number {
  return alarms.find(([pattern]) => pattern.test(resource))?.[1] ?? 0;
}

const alarms: readonly (readonly [RegExp, number])[] = [
  [/!recursive-absolute$/, 9],
  [/^bash\/(?:mkfs.*|mkswap|wipefs|dd|shred|fdisk|sfdisk|parted|blkdiscard)$/, 8],
  [/^bash\/(?:shutdown|reboot|halt|poweroff|init|telinit)$/, 7],
  [/^[a-z]+\/!/, 6],
  [/^bash\/[^/]*!/, 5],
  [
    /^bash\/(?:sudo|su|doas|runuser|chroot|nsenter|unshare|mount|umount|insmod|modprobe|iptables|nft|sysctl)$/,
    4,
  ],
  [/^bash\/(?:systemctl|service|crontab|at|batch|useradd|userdel|usermod|passwd|pkill|killall|enable)$/, 4],
  [/^bash\/(?:curl|wget|nc|ncat|netcat|socat|telnet|ftp|tftp|ssh|scp|sftp|rsync)$/, 3],
  [
    /^bash\/(?:apt|apt-get|dpkg|yum|dnf|rpm|apk|pacman|zypper|snap|brew|npm|npx|pnpm|yarn|pip|pip3|pipx|uv|gem|cargo|go)$/,
    3,
  ],
  [/^bash\/\?$/, 2],
  [/^bash\/(?:perl|ruby|php|lua|tclsh|expect|gdb|docker|podman|kubectl)$/, 2],
];

interface Collector {
  /** Resource to the line it was first seen in. */
  readonly lines: Map<string, number>;
  /** Of the program itself. */
  readonly language: LanguageId;
  /** Programs in texts of programs. */
  readonly depth: number;
}

const deepest = 6;

/** `place`: of the command that holds the text; undefined when it is the program itself. */
function collect(collector: Collector, program: ProgramText, place: Place | undefined): void {
  if (collector.depth > deepest) {
    note(collector.lines, `${collector.language}/!unparsable`, place?.line ?? 1);
    return;
  }
  const inner = { ...collector, depth: collector.depth + 1 };
  if (program.language === "bash") collectShell(inner, program.text, place === undefined ? {} : { place });
  else collectCalls(inner, program.language, program.text, place);
}

function collectShell(collector: Collector, text: string, options: ShellOptions): void {
  const { lines } = collector;
  const result = parseShell(text, options);
  for (const command of result.commands) collectCommand(collector, command);
  // A folder that looks like a repository is one, wherever it is.
  const settings = result.commands.find(writesSettings);
  if (settings !== undefined && result.commands.some(({ argv }) => commandName(argv) === "git")) {
    note(lines, "bash/git!program", settings.place.line);
  }
  if (result.kind === "unparsable") note(lines, "bash/!unparsable", result.line);
}

function collectCommand(collector: Collector, command: SimpleCommand): void {
  const { lines } = collector;
  const { line } = command.place;
  if (command.argv.length > 0) note(lines, `bash/${commandName(command.argv) ?? "?"}`, line);
  if (assignsLoading(command)) note(lines, "bash/!environment", line);
  for (const form of describeForms(command)) note(lines, `bash/${form}`, line);
  const program = findProgramText(command);
  if (program === "unknown") note(lines, "bash/?", line);
  else if (program !== undefined) collect(collector, program, command.place);
}

function collectCalls(
  collector: Collector,
  language: ScannedLanguage,
  text: string,
  place: Place | undefined,
): void {
  for (const finding of scanCode(language, text)) {
    const here = place ?? { line: finding.line, column: finding.column };
    const name = finding.name.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 100);
    note(collector.lines, `${language}/!${name}`, here.line);
    if (finding.literalCommand === undefined) continue;
    collectShell(collector, finding.literalCommand, { dialect: "posix", place: here });
  }
}

function note(lines: Map<string, number>, resource: string, line: number): void {
  if (!lines.has(resource)) lines.set(resource, line);
}

function limit(resources: readonly string[], language: LanguageId): readonly string[] {
  if (resources.length <= mostResources) return resources;
  const kept = new Set(resources.toSorted((a, b) => alarmOf(b) - alarmOf(a)).slice(0, mostResources - 1));
  return [...resources.filter((resource) => kept.has(resource)), `${language}/!too-many`];
}
