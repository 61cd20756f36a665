import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, open, rename, rm, symlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { until } from "../store/test-things.ts";
import { createDiskPart, judgeSpace } from "./disk.ts";
import type { DiskDeps } from "./disk.ts";

let home: string;
let folders: string[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "homeostat-disk-"));
  folders = [join(home, "ledger")];
  await mkdir(folders[0]!);
});
afterEach(async () => {
  await chmod(home, 0o700);
  await rm(home, { recursive: true, maxRetries: 5 });
});

async function started(deps: Partial<DiskDeps> = {}): Promise<ReturnType<typeof createDiskPart>> {
  const part = createDiskPart({ clock: systemClock, home, folders, minFreeBytes: 1, ...deps });
  await part.start();
  return part;
}

/** Sleeps end at once, so that no look is waited for. */
const hasty = {
  ...systemClock,
  sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(1, signal),
};

test("a disk that takes a block is well, and one that is full has failed until there is room again", async () => {
  const part = await started({ clock: hasty });
  expect(["ok", "degraded"]).toContain(part.health().kind);
  // A device that answers every write as a full disk does; put in place whole, for the folder is looked at all the time.
  const full = `${home}-full`;
  await mkdir(join(full, "ledger"), { recursive: true });
  await symlink("/dev/full", join(full, ".write-probe"));
  await rename(home, `${home}-aside`);
  await rename(full, home);
  await until(() => part.health().kind === "failed" && /ENOSPC/.test(JSON.stringify(part.health())));
  expect(part.health()).toMatchObject({ needsPerson: true });
  await rm(home, { recursive: true, maxRetries: 5 });
  await until(() => /ENOENT/.test(JSON.stringify(part.health())));
  await rename(`${home}-aside`, home);
  await until(() => part.health().kind !== "failed");
  await part.stop(100);
});

test("too little room has failed, little is degraded, and the tightest of the volumes counts", async () => {
  const part = await started({ minFreeBytes: 2 ** 60 });
  expect(part.health()).toMatchObject({
    kind: "failed",
    detail: expect.stringMatching(
      /^\/.*: \d+ MiB free; at least 1099511627776 MiB must be free \(minFreeMiB\): free some, or lower it$/,
    ) as string,
  });
  await part.stop(100);
  expect(judgeSpace({ folder: "/home", freeBytes: 2 ** 29 }, 2 ** 20)).toEqual({
    kind: "degraded",
    detail: "/home: 512 MiB free",
  });
  expect(judgeSpace({ folder: "/home", freeBytes: 2 ** 31 }, 2 ** 20)).toEqual({ kind: "ok" });
  // A file system without any room of its own.
  const withProc = await started({ folders: [...folders, "/proc/self"] });
  expect(withProc.health()).toMatchObject({ kind: "failed" });
  await withProc.stop(100);
});

test("a folder of it that is gone is told by its name", async () => {
  const part = await started({ folders: [join(home, "workspaces")] });
  expect(part.health()).toMatchObject({
    kind: "failed",
    detail: expect.stringContaining("workspaces") as string,
  });
  await part.stop(100);
});

test("a disk that does not answer has failed after ten seconds, and is not waited for at the end", async () => {
  let nowMs = 0;
  const part = await started({ clock: { ...hasty, monotonic: () => nowMs } });
  await part.stop(100);
  // Opening a pipe that nobody reads answers no sooner than a disk that hangs.
  const pipe = join(home, ".write-probe");
  await unlink(pipe);
  spawnSync("mkfifo", [pipe]);
  const hanging = createDiskPart({
    ...{ home, folders, minFreeBytes: 1 },
    clock: { ...hasty, monotonic: () => nowMs },
  });
  const starting = hanging.start();
  expect(hanging.health().kind).toBe("ok");
  nowMs = 12_000;
  expect(hanging.health()).toMatchObject({
    detail: expect.stringContaining("not answered for 12 s") as string,
  });
  await hanging.stop(100);
  const reader = await open(pipe, "r");
  await starting;
  // A pipe cannot be synced.
  expect(hanging.health()).toMatchObject({
    kind: "failed",
    detail: expect.stringContaining("EINVAL") as string,
  });
  await reader.close();
});
