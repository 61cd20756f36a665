/** Installs Debian's bubblewrap package when it is missing and nobody forbade it; otherwise says which command would. */
import type { HostAnswer, RunCommand } from "./host-command.ts";

export interface InstallDeps {
  /** False when the operator forbade it (HOMEOSTAT_SANDBOX_INSTALL=never). */
  readonly mayInstall: boolean;
  readonly isRoot: boolean;
  readonly runCommand: RunCommand;
  /** One line for the person who started the server. */
  say(line: string): void;
}

export type InstallAnswer =
  | { readonly kind: "installed" }
  /** What a person has to run, and why it was not done here. */
  | { readonly kind: "left"; readonly command: string; readonly reason: string };

/** The package lists of a slow mirror take this long; nothing waits longer for a sandbox at the first start. */
const timeoutMs = 120_000;

const package_ = "bubblewrap";

/** Which package manager installs it, by the program that must be there. */
const managers: readonly { readonly program: string; readonly command: string }[] = [
  { program: "apt-get", command: `apt-get install -y ${package_}` },
  { program: "dnf", command: `dnf install -y ${package_}` },
  { program: "zypper", command: `zypper install -y ${package_}` },
  { program: "pacman", command: `pacman -S --noconfirm ${package_}` },
  { program: "apk", command: `apk add ${package_}` },
];

const unknownManager = `install the package ${package_} (https://github.com/containers/bubblewrap)`;

/** Only apt-get is run by itself: it is the one whose behaviour without a terminal is known to us. Never rejects. */
export async function installBubblewrap(deps: InstallDeps): Promise<InstallAnswer> {
  const { mayInstall, isRoot, runCommand, say } = deps;
  const command = await findInstallCommand(deps);
  const prefix = isRoot || command === unknownManager ? "" : "sudo ";
  const left = (reason: string): InstallAnswer => ({ kind: "left", command: prefix + command, reason });
  if (!command.startsWith("apt-get")) return left("there is no apt-get");
  if (!mayInstall) return left("installing is switched off");
  if (!isRoot) return left("installing needs root");
  say(
    "Installing Debian's bubblewrap, with which programs are isolated (HOMEOSTAT_SANDBOX_INSTALL=never forbids this).",
  );
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  const install = (): Promise<HostAnswer> =>
    runCommand({
      command: "apt-get",
      args: ["install", "-y", "--no-install-recommends", package_],
      timeoutMs,
      environment,
    });
  const first = await install();
  if (first.exitCode === 0) return { kind: "installed" };
  // A fresh container has no package lists.
  await runCommand({ command: "apt-get", args: ["update"], timeoutMs, environment });
  const second = await install();
  if (second.exitCode === 0) return { kind: "installed" };
  return left(lastLine(second.stderr) ?? "apt-get did not end in time");
}

/** The command for this host's package manager; a sentence where none is known. */
export async function findInstallCommand({ runCommand }: Pick<InstallDeps, "runCommand">): Promise<string> {
  for (const { program, command } of managers) {
    const answer = await runCommand({ command: program, args: ["--version"], timeoutMs: 5000 });
    if (answer.exitCode === 0) return command;
  }
  return unknownManager;
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").at(-1) || undefined;
}
