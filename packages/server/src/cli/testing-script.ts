/**
 * For tests: runs a text script of commands against the real launcher and gives back what it printed, in the script's form.
 *
 * A script is Go's txtar: first the commands with what they print, then files as `-- name --` blocks, put into the working
 * folder beforehand. `$ homeostat ...` runs a command (a final ` &` leaves it running, once it has printed its first
 * line); lines after it are its standard output, lines with `! ` its standard error, `[exit 1]` its exit code if that is not
 * 0. `#` lines are comments. What differs each time is named: RUN1, APR1, ART1 by first appearance, HOME, WORK, PORT,
 * TIME, CLOCK, SPAN, AGE, KEY, VERSION, and N for counts of the ledger; RUN1, APR1, HOME and WORK may be used in commands.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiledFolder } from "../store/test-things.ts";

const launcher = fileURLToPath(new URL("../../homeostat.js", import.meta.url));

interface Step {
  readonly command: string;
  /** Comment and blank lines that come before it. */
  readonly before: readonly string[];
}

/** The script as it would have to read for every command to be as it is written. */
export async function runScript(script: string): Promise<string> {
  const { steps, files, filesText } = parseScript(script);
  const work = await mkdtemp(join(tmpdir(), "homeostat-cli-"));
  const names = createNames(work);
  const background: ChildProcess[] = [];
  const written: string[] = [];
  try {
    for (const [name, content] of files) {
      await mkdir(dirname(join(work, name)), { recursive: true });
      await writeFile(join(work, name), content);
    }
    for (const { command, before } of steps) {
      const isBackground = command.endsWith(" &");
      const child = start(names.resolve(command.replace(/ &$/, "")), work);
      if (isBackground) background.push(child);
      const printed = isBackground ? await firstOutput(child) : await wholeOutput(child);
      written.push(...before, `$ ${command}`, ...names.mask(printed));
    }
  } finally {
    for (const child of background) await stop(child);
    await rm(work, { recursive: true, force: true });
  }
  return `${written.join("\n")}\n${filesText}`;
}

function parseScript(script: string): { steps: Step[]; files: Map<string, string>; filesText: string } {
  const filesAt = script.search(/^-- .+ --$/m);
  const head = filesAt < 0 ? script : script.slice(0, filesAt);
  const filesText = filesAt < 0 ? "" : script.slice(filesAt);
  const files = new Map<string, string>();
  const parts = filesText.split(/^-- (.+) --\n/m).slice(1);
  for (let index = 0; index < parts.length; index += 2) files.set(parts[index]!, parts[index + 1]!);
  const steps: Step[] = [];
  let before: string[] = [];
  for (const line of head.split("\n")) {
    if (line.startsWith("$ ")) {
      steps.push({ command: line.slice(2), before });
      before = [];
    } else if (line.startsWith("#")) before.push(line);
  }
  return { steps, files, filesText };
}

function start(command: string, work: string): ChildProcess {
  const [program, ...args] = splitWords(command);
  if (program !== "homeostat") throw new Error(`a script runs homeostat, not ${program}`);
  const { PATH = "" } = process.env;
  const env = {
    PATH,
    HOME: work,
    HOMEOSTAT_HOME: join(work, "data"),
    HOMEOSTAT_SANDBOX_INSTALL: "never",
    NODE_COMPILE_CACHE: compiledFolder,
    NO_COLOR: "1",
  };
  return spawn(process.execPath, [launcher, ...args], { cwd: work, env, stdio: ["ignore", "pipe", "pipe"] });
}

/** Words by blanks; quotes keep blanks in a word. */
function splitWords(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ""));
}

/** A command that takes longer is told of, and ended, instead of holding the test up for ever. */
const commandMs = 60_000;
/** A server that has not gone by then is no longer asked. */
const stopMs = 15_000;

async function stop(child: ChildProcess): Promise<void> {
  // Ended already, by itself or by a signal: it would not say so again.
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await exited;
  clearTimeout(timer);
}

async function wholeOutput(child: ChildProcess): Promise<string[]> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, commandMs);
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  if (isLate)
    throw new Error(`${child.spawnargs.slice(2).join(" ")} did not end in ${commandMs} ms: ${out}${err}`);
  return [
    ...linesOf(out),
    ...linesOf(err).map((line) => `! ${line}`),
    ...(code === 0 ? [] : [`[exit ${code}]`]),
  ];
}

/** What a server prints once it is up. */
async function firstOutput(child: ChildProcess): Promise<string[]> {
  let err = "";
  child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const printed = child.stdout === null ? undefined : once(child.stdout, "data");
  const first = await Promise.race([printed, once(child, "exit").then(() => undefined)]);
  if (first === undefined) throw new Error(`it ended at once: ${err}`);
  return linesOf(String(first[0]));
}

function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trimEnd());
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

interface Names {
  resolve(command: string): string;
  mask(lines: readonly string[]): string[];
}

function createNames(work: string): Names {
  const byId = new Map<string, string>();
  const counts = new Map<string, number>();
  const nameOf = (id: string, prefix: string): string => {
    const known = byId.get(id);
    if (known !== undefined) return known;
    const count = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, count);
    byId.set(id, `${prefix.toUpperCase()}${count}`);
    return `${prefix.toUpperCase()}${count}`;
  };
  return {
    resolve(command) {
      const ids = [...byId].reduce((text, [id, name]) => text.replaceAll(name, id), command);
      return ids.replaceAll("HOME", join(work, "data")).replaceAll("WORK", work);
    },
    mask: (lines) =>
      lines.map((line) =>
        line
          .replaceAll(/\b(run|apr|art|key)_[0-9a-f]{32}/g, (id, prefix: string) => nameOf(id, prefix))
          .replaceAll(join(work, "data"), "HOME")
          .replaceAll(work, "WORK")
          .replaceAll(/hs[kt]_[\w-]{43}/g, "TOKEN")
          .replaceAll(/^(KEY\d+ .*?)\d{4}-\d\d-\d\d/g, "$1DAY")
          .replaceAll(/127\.0\.0\.1:\d+/g, (address) =>
            address === "127.0.0.1:1" ? address : "127.0.0.1:PORT",
          )
          .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME")
          .replaceAll(/\b\d\d:\d\d:\d\d\b/g, "CLOCK")
          .replaceAll(/\b\d+(\.\d+)? (ms|s)\b/g, "SPAN")
          .replaceAll(/\b[0-9a-f]{64}\b/g, "DIGEST")
          .replaceAll(/ (now|\d+s)( |$)/g, " AGE$2")
          .replaceAll(/^(ok|FAILED)( +\S.*?) {2,}\d+/g, "$1$2  N")
          .replaceAll(/\b(size|line|policy\.yaml:)( ?)\d+/g, "$1$2N")
          .replaceAll(/homeostat\.local\/[0-9a-f]{16}\+[0-9a-f]{8}\+[\w+/=]+/g, "KEY")
          .replaceAll(/^Homeostat \d+\.\d+\.\d+\S*/g, "Homeostat VERSION")
          // Columns move with what was masked; their distance is the table's own test.
          .replaceAll(/ {2,}/g, "  "),
      ),
  };
}
