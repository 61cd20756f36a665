/** Tests of what is asked of the host, its commands, its pipes, and the user ids handed out. */
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { closeSync, openSync, writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createUidPool,
  findHost,
  findInheritedDescriptors,
  findStage,
  findSystemMount,
  isReachable,
  isRecentEnough,
  parsePasswd,
} from "./host.ts";
import { runCommand } from "./host-command.ts";
import { closeWriter, openPipes } from "./pipes.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-host-"));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true }));

describe("the host", () => {
  test("is described by what it has", async () => {
    const host = await findHost({
      nodeBinary: process.execPath,
      architecture: "x64",
      uid: process.getuid!(),
      runCommand,
    });
    expect(host.architecture).toBe("x64");
    expect(host.isRoot).toBe(process.getuid!() === 0);
    expect(host.nodeBinary.startsWith("/")).toBe(true);
    expect(host.systemMounts.length).toBeGreaterThan(0);
    expect(host.takenUids.has(0)).toBe(true);
    expect(
      (await findHost({ nodeBinary: process.execPath, architecture: "x64", uid: 1000, runCommand }))
        .nodeStage,
    ).toBeUndefined();
  });

  test("a Node below a private folder needs a stage when programs get a user id of their own", async () => {
    await mkdir(join(folder, "home/bin"), { recursive: true });
    const nodeBinary = join(folder, "home/bin/node");
    await writeFile(nodeBinary, "", { mode: 0o755 });
    expect(isReachable(nodeBinary)).toBe(true);
    const ask = async (): Promise<string | undefined> =>
      (await findHost({ nodeBinary, architecture: "x64", uid: 0, runCommand })).nodeStage;
    expect(await ask()).toBeUndefined();
    await chmod(join(folder, "home"), 0o700);
    expect(isReachable(nodeBinary)).toBe(false);
    expect(await ask()).toBe("/mnt");
    await chmod(join(folder, "home"), 0o755);
    await chmod(nodeBinary, 0o750);
    expect(isReachable(nodeBinary)).toBe(false);
  });

  test("the first folder that exists becomes the stage", async () => {
    await writeFile(join(folder, "file"), "");
    await mkdir(join(folder, "there"));
    expect(findStage([join(folder, "missing"), join(folder, "file"), join(folder, "there")])).toBe(
      join(folder, "there"),
    );
    expect(findStage([])).toBeUndefined();
  });

  test("system folders appear as links, as folders, or not at all", async () => {
    await symlink("usr/bin", join(folder, "bin"));
    await mkdir(join(folder, "lib"));
    expect(["bin", "lib", "lib32"].flatMap((name) => findSystemMount(join(folder, name)))).toEqual([
      { kind: "symlink", path: join(folder, "bin"), target: "usr/bin" },
      { kind: "bind", path: join(folder, "lib") },
    ]);
  });

  test("versions before 0.8.0 are too old", () => {
    expect(["0.8.0", "0.11.0", "1.0", "1", "0.7.9", "0.4.1", "0"].map(isRecentEnough)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test("descriptors without the close-on-exec flag are found", async () => {
    for (const [name, flags] of [
      ["0", "0100000"],
      ["9", "0100002"],
      ["7", "0100000"],
      ["8", "02100000"],
    ] as const)
      await writeFile(join(folder, name), `pos:\t0\nflags:\t${flags}\nmnt_id:\t1\n`);
    await writeFile(join(folder, "12"), "no flags");
    await symlink("/nowhere", join(folder, "13"));
    expect(findInheritedDescriptors(folder)).toEqual([7, 9, 12]);
  });
});

describe("user ids", () => {
  test("each comes again only after all others, and taken ones never", () => {
    const pool = createUidPool(parsePasswd("root:x:0:0::/:/bin/sh\nsomeone:x:101:1::/:/bin/sh\n\n"), 100, 4);
    const first = pool.take();
    pool.give(first);
    expect([first, pool.take(), pool.take(), pool.take()]).toEqual([100, 102, 103, 100]);
    // All are in use: the last one is shared rather than a program refused.
    expect(pool.take()).toBe(100);
    pool.give(100);
    pool.give(100);
    pool.give(102);
    expect([pool.take(), pool.take()]).toEqual([100, 102]);
  });

  test("the default range keeps clear of systemd's", () => {
    const pool = createUidPool(new Set());
    const uids = Array.from({ length: 399 }, () => pool.take());
    expect([Math.min(...uids), Math.max(...uids)]).toEqual([60_600, 60_998]);
  });
});

describe("commands of the host", () => {
  test("answer with what they print and their exit code, in a small environment", async () => {
    const args = ["-c", "echo $MORE; env | cut -d= -f1 | sort | tr '\\n' ' '; echo bad >&2; exit 3"];
    const answer = await runCommand({ command: "sh", args, timeoutMs: 5000, environment: { MORE: "more" } });
    expect(answer).toEqual({ exitCode: 3, stdout: "more\nLANG MORE PATH PWD ", stderr: "bad\n" });
  });

  test("a missing program and one that takes too long have no exit code", async () => {
    const missing = await runCommand({ command: "no-such-program", args: [], timeoutMs: 5000 });
    expect(missing).toMatchObject({ exitCode: null, stderr: expect.stringContaining("ENOENT") as string });
    expect((await runCommand({ command: "sleep", args: ["5"], timeoutMs: 50 })).exitCode).toBeNull();
  });
});

describe("pipes", () => {
  test("end when no writer is left, can be opened again by name, and start empty", async () => {
    const pool = await openPipes(1, runCommand);
    for (const word of ["first", "second"]) {
      const pipe = pool.take();
      const { reader, writer } = pipe.open();
      const again = openSync(`/proc/self/fd/${writer}`, "w");
      writeSync(again, word);
      closeSync(again);
      closeWriter(writer);
      expect(await text(reader)).toBe(word);
      // A program that was killed may leave something behind that nobody has read.
      const unread = pipe.open();
      writeSync(unread.writer, "left over");
      unread.reader.destroy();
      closeWriter(unread.writer);
      pool.give(pipe);
    }
    pool.take();
    expect(() => pool.take()).toThrow(expect.objectContaining({ code: "SANDBOX_FAILED" }));
  });

  test("that cannot be made are an error with the reason", async () => {
    await expect(openPipes(0, runCommand)).rejects.toMatchObject({
      code: "SANDBOX_FAILED",
      message: expect.stringContaining("mkfifo") as string,
    });
  });
});
