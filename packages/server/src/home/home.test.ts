import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { prepareHome } from "./home.ts";

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-home-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("a data folder is made with everything in it, for its owner alone", async () => {
  const home = await prepareHome(join(await temporary(), "a", "b"));
  expect((await stat(home.folder)).mode & 0o777).toBe(0o700);
  expect((await readdir(home.folder)).sort()).toEqual([
    "blobs",
    "keys",
    "ledger",
    "logs",
    "scratch",
    "workspaces",
  ]);
  expect((await stat(home.keys)).mode & 0o777).toBe(0o700);
});

test("what dead processes left in the scratch folder is removed, what living ones use stays", async () => {
  const folder = await temporary();
  // `7-1` and `7-2` are of another container, whose processes cannot be seen from here; one has been left for long.
  for (const name of ["999999999", "1", "junk", "7-1", "7-2"])
    await mkdir(join(folder, "scratch", name), { recursive: true });
  await utimes(join(folder, "scratch", "7-2"), 1, 1);
  const home = await prepareHome(folder);
  expect((await readdir(join(folder, "scratch"))).sort()).toEqual(
    ["1", "7-1", basename(home.scratch)].sort(),
  );
  expect(home.scratch.endsWith(String(process.pid))).toBe(true);
});

test("a file in the way is named", async () => {
  const folder = await temporary();
  const file = join(folder, "file");
  await writeFile(file, "");
  await expect(prepareHome(join(file, "home"))).rejects.toMatchObject({
    code: "DATA_FOLDER_UNUSABLE",
    message: expect.stringContaining(`${file} is a file`) as string,
  });
});

test("a place where no folder can be made is named, and nothing hangs", async () => {
  await expect(prepareHome("/proc/homeostat")).rejects.toMatchObject({
    code: "DATA_FOLDER_UNUSABLE",
    message: expect.stringContaining("/proc/homeostat") as string,
  });
});
