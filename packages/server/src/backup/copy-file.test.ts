import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { copyFileHashed, hashFile, listFiles } from "./copy-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-copy-file-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a file is copied up to an end, also when that is its beginning, with the digest of what was copied", async () => {
  const from = join(folder, "from");
  await writeFile(from, "a growing file");
  for (const [endBytes, text] of [
    [Infinity, "a growing file"],
    [9, "a growing"],
    [0, ""],
  ] as const) {
    const to = join(folder, `below/${endBytes}`);
    expect(await copyFileHashed(from, to, endBytes)).toEqual({
      sha256: sha256(text),
      sizeBytes: text.length,
    });
    expect(await readFile(to, "utf8")).toBe(text);
    expect(await hashFile(to)).toBe(sha256(text));
  }
  await expect(copyFileHashed(from, join(folder, "below/9"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(copyFileHashed(join(folder, "none"), join(folder, "to"))).rejects.toMatchObject({
    code: "ENOENT",
  });
});

test("regular files below a folder are listed in order; links are not followed, and no folder holds nothing", async () => {
  const listed = async (of: string): Promise<readonly string[]> => {
    const paths: string[] = [];
    for await (const path of listFiles(of)) paths.push(path);
    return paths;
  };
  await mkdir(join(folder, "b/c"), { recursive: true });
  for (const path of ["z", "b/c/d", "b/a", "a"]) await writeFile(join(folder, path), "");
  await symlink("/etc/passwd", join(folder, "link"));
  expect(await listed(folder)).toEqual(["a", "b/a", "b/c/d", "z"]);
  expect(await listed(join(folder, "none"))).toEqual([]);
  await expect(listed(join(folder, "a"))).rejects.toMatchObject({ code: "ENOTDIR" });
});
