import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isProcessDead, processIdentity } from "./process-identity.ts";

const onLinux = describe.skipIf(!existsSync("/proc/sys/kernel/random/boot_id"));

onLinux("on Linux", () => {
  test("a process is always the same to itself, and not dead", () => {
    expect(processIdentity()).toBe(processIdentity());
    expect(processIdentity()).toMatch(/^[0-9a-f-]{36}:\d+:\d+:\d+$/);
    expect(isProcessDead(processIdentity())).toBe(false);
  });

  test("a child is alive until it has ended", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    const identity = identityOf(child);
    expect(isProcessDead(identity)).toBe(false);
    await ended(child);
    expect(isProcessDead(identity)).toBe(true);
  });

  test("a later process with the same pid does not keep an earlier one alive", () => {
    const [bootId, namespace, pid] = processIdentity().split(":");
    expect(isProcessDead(`${bootId}:${namespace}:${pid}:1`)).toBe(true);
  });

  test("nothing is known of other boots, other pid namespaces, and texts that are no identity", () => {
    const [bootId, namespace] = processIdentity().split(":");
    const otherBoot = "00000000-0000-0000-0000-000000000000";
    for (const identity of [
      `${otherBoot}:${namespace}:4194304:1`,
      `${bootId}:1:4194304:1`,
      `${bootId}:${namespace}`,
      `${bootId}:${namespace}:4194304`,
      `${bootId}:${namespace}:-1:1`,
      "random:4f9c",
      "",
    ]) {
      expect(isProcessDead(identity)).toBe(false);
    }
  });
});

describe("with a /proc made by hand", () => {
  let proc: string;
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), "homeostat-proc-"));
    mkdirSync(join(proc, "sys/kernel/random"), { recursive: true });
    mkdirSync(join(proc, "self/ns"), { recursive: true });
    writeFileSync(join(proc, "sys/kernel/random/boot_id"), "boot\n");
    symlinkSync("pid:[42]", join(proc, "self/ns/pid"));
  });
  afterEach(() => rmSync(proc, { recursive: true }));

  function writeStat(pid: string, state: string, threads: number): void {
    const fields = Array.from({ length: 20 }, (_, index) => (index === 18 ? "777" : "0"));
    mkdirSync(join(proc, pid), { recursive: true });
    // A program may call itself anything.
    writeFileSync(join(proc, pid, "stat"), `${pid} (odd ) name) ${state} ${fields.join(" ")}\n`);
    for (let thread = 0; thread < threads; thread += 1)
      mkdirSync(join(proc, pid, "task", String(thread)), { recursive: true });
  }

  test("the start time is found behind a name with parentheses", () => {
    writeStat("self", "R", 1);
    expect(processIdentity(proc)).toBe(`boot:42:${process.pid}:777`);
  });

  test("a zombie is dead once none of its threads is left to finish a write", () => {
    const pid = String(process.pid);
    const identity = `boot:42:${pid}:777`;
    writeStat(pid, "Z", 2);
    expect(isProcessDead(identity, proc)).toBe(false);
    rmSync(join(proc, pid, "task/1"), { recursive: true });
    expect(isProcessDead(identity, proc)).toBe(true);
    rmSync(join(proc, pid, "task"), { recursive: true });
    expect(isProcessDead(identity, proc)).toBe(false);
  });

  test("a process that exists but is hidden, or shows nonsense, is not provably dead", () => {
    const identity = `boot:42:${process.pid}:777`;
    expect(isProcessDead(identity, proc)).toBe(false);
    mkdirSync(join(proc, String(process.pid)));
    writeFileSync(join(proc, String(process.pid), "stat"), "nonsense");
    expect(isProcessDead(identity, proc)).toBe(false);
  });

  test("without /proc an identity is random and never provably dead", () => {
    const nowhere = join(proc, "nowhere");
    expect(processIdentity(nowhere)).toMatch(/^random:[0-9a-f-]{36}$/);
    expect(processIdentity(nowhere)).not.toBe(processIdentity(nowhere));
    expect(isProcessDead(processIdentity(nowhere), nowhere)).toBe(false);
    rmSync(join(proc, "self/ns/pid"));
    symlinkSync("unknown", join(proc, "self/ns/pid"));
    expect(processIdentity(proc)).toMatch(/^random:/);
  });
});

function identityOf(child: ChildProcess): string {
  const [bootId, namespace] = processIdentity().split(":");
  const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
  return `${bootId}:${namespace}:${child.pid}:${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
}

function ended(child: ChildProcess): Promise<unknown> {
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  return exit;
}
