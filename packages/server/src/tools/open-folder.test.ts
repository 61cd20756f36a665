import { mkdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFolder, openParent } from "./open-folder.ts";
import { parsePath } from "./paths.ts";
import { createTestPlace } from "./testing-context.ts";

describe.each([
  ["through descriptors", true],
  ["by checked paths", false],
])("openParent %s", (_name, useDescriptors) => {
  test("makes missing folders only when asked", async () => {
    const place = await createTestPlace();
    const path = parsePath("a/b/c.txt", "write", place.roots);
    const options = { forbiddenFolders: [], useDescriptors };
    await expect(openParent(path, options)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    const { folder, name } = await openParent(path, { ...options, create: true });
    await writeFile(folder.entry(name), "c");
    await folder.sync();
    await folder.close();
    expect(await readFile(join(place.workspace, "a/b/c.txt"), "utf8")).toBe("c");
  });

  test("a folder swapped for a link after the decision is not followed", async () => {
    const place = await createTestPlace();
    await mkdir(join(place.workspace, "a"));
    const path = parsePath("a/c.txt", "write", place.roots);
    await rm(join(place.workspace, "a"), { recursive: true });
    await symlink(place.outside, join(place.workspace, "a"));
    await expect(
      openParent(path, { forbiddenFolders: [], create: true, useDescriptors }),
    ).rejects.toMatchObject({
      code: "FILE_CHANGED",
    });
  });

  test("a file in the place of a folder is told", async () => {
    const place = await createTestPlace();
    await writeFile(join(place.workspace, "a"), "");
    const path = parsePath("a/c.txt", "write", place.roots);
    await expect(
      openParent(path, { forbiddenFolders: [], create: true, useDescriptors }),
    ).rejects.toMatchObject({
      code: "ACTION_INVALID",
    });
  });

  test("a forbidden folder is recognised by what it is, not by its name", async () => {
    const place = await createTestPlace();
    const roots = [{ name: "above", path: join(place.data, ".."), writable: true }];
    const path = parsePath("above:data/token", "read", roots);
    const options = { forbiddenFolders: [place.data, "/does/not/exist"], useDescriptors };
    await expect(openParent(path, options)).rejects.toMatchObject({ code: "FILE_CHANGED" });
  });

  test("what the system says when a folder cannot be made is told", async () => {
    const place = await createTestPlace();
    const path = { root: place.roots[0]!, relative: `${"x".repeat(300)}/y` };
    await expect(
      openParent(path, { forbiddenFolders: [], create: true, useDescriptors }),
    ).rejects.toMatchObject({
      code: "FILE_UNAVAILABLE",
      data: { errno: "ENAMETOOLONG" },
    });
  });

  test("the root itself opens", async () => {
    const place = await createTestPlace();
    const folder = await openFolder(parsePath(".", "read", place.roots), {
      forbiddenFolders: [],
      useDescriptors,
    });
    expect((await stat(folder.entry("."))).ino).toBe((await stat(place.workspace)).ino);
    await folder.close();
  });
});

test("through descriptors an open folder stays the one that was opened, whatever its path becomes", async () => {
  const place = await createTestPlace();
  await mkdir(join(place.workspace, "a"));
  const { folder, name } = await openParent(parsePath("a/c.txt", "write", place.roots), {
    forbiddenFolders: [],
  });
  await rename(join(place.workspace, "a"), join(place.workspace, "b"));
  await symlink(place.outside, join(place.workspace, "a"));
  await writeFile(folder.entry(name), "c");
  await folder.close();
  expect(await readFile(join(place.workspace, "b/c.txt"), "utf8")).toBe("c");
  await expect(stat(join(place.outside, "c.txt"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("an adversary who swaps a folder as fast as it can never gets a byte outside", async () => {
  const place = await createTestPlace();
  const inside = join(place.workspace, "a");
  await mkdir(inside);
  await symlink(place.outside, join(place.workspace, "trap"));
  let isOver = false;
  const swapping = (async () => {
    while (!isOver) {
      await rename(inside, join(place.workspace, "aside"));
      await rename(join(place.workspace, "trap"), inside);
      await rename(inside, join(place.workspace, "trap"));
      await rename(join(place.workspace, "aside"), inside);
    }
  })();
  const path = parsePath("a/c.txt", "write", place.roots);
  let written = 0;
  let refused = 0;
  for (let attempt = 0; attempt < 500; attempt++) {
    try {
      const { folder, name } = await openParent(path, { forbiddenFolders: [] });
      await writeFile(folder.entry(name), "c");
      await folder.close();
      written += 1;
    } catch (error) {
      expect(error).toMatchObject({
        code: expect.stringMatching(/^FILE_(CHANGED|NOT_FOUND)|ACTION_INVALID$/) as string,
      });
      refused += 1;
    }
  }
  isOver = true;
  await swapping;
  await expect(stat(join(place.outside, "c.txt"))).rejects.toMatchObject({ code: "ENOENT" });
  expect(written).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(0);
});
