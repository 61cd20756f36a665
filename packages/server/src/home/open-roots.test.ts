import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isInside } from "../tools/paths.ts";
import { openRoots } from "./open-roots.ts";

async function createPlace(): Promise<{ base: string; home: string }> {
  const base = await realpath(await mkdtemp(join(tmpdir(), "homeostat-roots-")));
  onTestFinished(() => rm(base, { recursive: true }));
  const home = join(base, "home");
  await mkdir(join(home, "workspaces"), { recursive: true });
  await mkdir(join(base, "homework"));
  await symlink(home, join(base, "link"));
  return { base, home };
}

describe("a granted folder", () => {
  test.each(["home", "home/workspaces", "link", "link/workspaces"])(
    "is refused at the start when it leads into the data folder: %s",
    async (name) => {
      const { base, home } = await createPlace();
      const opened = openRoots({ outside: { path: join(base, name), mode: "write" } }, join(base, "link"));
      await expect(opened).rejects.toMatchObject({
        code: "CONFIG_INVALID",
        message: expect.stringContaining("roots.outside"),
      });
      await expect(openRoots({ outside: { path: join(base, name), mode: "read" } }, home)).rejects.toThrow(
        "data folder",
      );
    },
  );

  test("may stand beside the data folder or hold it", async () => {
    const { base, home } = await createPlace();
    const roots = {
      beside: { path: join(base, "homework"), mode: "write" },
      around: { path: base, mode: "read" },
    };
    const opened = await openRoots(roots as Parameters<typeof openRoots>[0], home);
    expect(opened).toEqual([
      { name: "beside", path: join(base, "homework"), writable: true },
      { name: "around", path: base, writable: false },
    ]);
    expect(opened.map(({ path }) => isInside(home, path))).toEqual([false, true]);
  });

  test("must be there", async () => {
    const opened = openRoots({ gone: { path: "/nowhere/at/all", mode: "read" } }, "/home");
    await expect(opened).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      hint: expect.stringContaining("create"),
    });
  });

  test("below the root of the file system is inside it", () => {
    expect(isInside("/a", "/")).toBe(true);
  });
});
