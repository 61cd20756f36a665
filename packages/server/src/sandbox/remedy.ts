/** Which command raises the isolation level of this host, from what the self-test found. */
import { readFileSync } from "node:fs";
import type { SandboxReport } from "./sandbox.ts";

/** Kernel settings that forbid unprivileged user namespaces, and the command that allows them. */
const namespaceSettings: readonly {
  readonly file: string;
  readonly bad: string;
  readonly command: string;
}[] = [
  {
    file: "/proc/sys/kernel/unprivileged_userns_clone",
    bad: "0",
    command: "sysctl -w kernel.unprivileged_userns_clone=1",
  },
  {
    file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    bad: "1",
    command: "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  },
  {
    file: "/proc/sys/user/max_user_namespaces",
    bad: "0",
    command: "sysctl -w user.max_user_namespaces=10000",
  },
];

/** `readSetting` gives a file's text or undefined. Undefined when every check is fine. */
export function findRemedy(
  checks: SandboxReport["checks"],
  isRoot: boolean,
  readSetting: (file: string) => string | undefined = readSettingFile,
): string | undefined {
  const isFine = (name: string): boolean => checks.find((check) => check.name === name)?.ok ?? true;
  if (!isFine("start")) {
    const setting = namespaceSettings.find(({ file, bad }) => readSetting(file)?.trim() === bad);
    if (setting !== undefined) return isRoot ? setting.command : `sudo ${setting.command}`;
    return "in a container: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined";
  }
  if (!isFine("own user id")) return "start Homeostat as root, which gives each program a user id of its own";
  if (!isFine("control groups"))
    return "make control groups writable; in a container: docker run --privileged --cgroupns=private";
  return checks.every((check) => check.ok)
    ? undefined
    : "install the current kernel and bubblewrap of the distribution";
}

function readSettingFile(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined; // kernels without this setting do not forbid anything by it
  }
}
