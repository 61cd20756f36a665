import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPath, isInside, parsePath, resolvePath } from "./paths.ts";
import type { PathContext, PathUse } from "./paths.ts";
import { createTestPlace } from "./testing-context.ts";
import type { Root } from "./tool.ts";

const workspace: Root = { name: "workspace", path: "/w", writable: true };
const archive: Root = { name: "archive", path: "/a", writable: false };
const roots = [workspace, archive];

describe("parsePath", () => {
  test("a plain path lies in the workspace, a prefix names another root", () => {
    expect(parsePath("assets/logo.png", "write", roots)).toEqual({
      root: workspace,
      relative: "assets/logo.png",
    });
    expect(parsePath("archive:2019/a.csv", "read", roots)).toEqual({ root: archive, relative: "2019/a.csv" });
  });

  test("empty and dot segments are dropped, the root itself is a dot", () => {
    expect(parsePath("./a//b/./c/", "read", roots).relative).toBe("a/b/c");
    expect(parsePath(".", "read", roots).relative).toBe(".");
    expect(parsePath("archive:./", "read", roots).relative).toBe(".");
  });

  test.each([
    ["/etc/passwd", "relative to a root"],
    ["archive:/etc/passwd", "relative to a root"],
    ["~/secret", "relative to a root"],
    ["a\\..\\b", "relative to a root"],
    ["../x", "`..` is not taken"],
    ["a/../b", "`..` is not taken"],
    ["a/..", "`..` is not taken"],
    ["", "it is empty"],
    ["archive:", "it is empty"],
    ["a\0b", "control or direction characters"],
    ["a\nb", "control or direction characters"],
    ["invoice-\u202Egnp.exe", "control or direction characters"],
    ["\ud800", "control or direction characters"],
    ["x".repeat(256), "longer than 255 bytes"],
    ["é".repeat(128), "longer than 255 bytes"],
    ["a/".repeat(2049), "longer than 4096 bytes"],
  ])("refuses %j", (input, why) => {
    expect(() => parsePath(input, "read", roots)).toThrow(
      expect.objectContaining({
        code: "ACTION_INVALID",
        message: expect.stringContaining(why) as string,
      }) as Error,
    );
  });

  test("an unknown root is refused and the nearest one suggested", () => {
    expect(() => parsePath("archiv:x", "read", roots)).toThrow(
      expect.objectContaining({
        code: "ACTION_INVALID",
        hint: expect.stringContaining("did you mean `archive`?") as string,
      }) as Error,
    );
  });

  test.each(["write", "remove"] as const)("a read-only root and a root itself refuse %s", (use) => {
    expect(() => parsePath("archive:x", use, roots)).toThrow(
      expect.objectContaining({ code: "ACTION_DENIED" }) as Error,
    );
    expect(() => parsePath(".", use, roots)).toThrow(
      expect.objectContaining({ code: "ACTION_INVALID" }) as Error,
    );
  });

  test("what formatPath writes, parsePath reads back, whatever the path", () => {
    const segment = fc.string({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom(...roots), fc.array(segment, { maxLength: 4 }), (root, segments) => {
        let path;
        try {
          path = parsePath(`${root.name}:${segments.join("/") || "."}`, "read", roots);
        } catch {
          return; // Refused paths are the other tests' business.
        }
        expect(parsePath(formatPath(path), "read", roots)).toEqual(path);
        expect(path.relative.split("/")).not.toContain("..");
      }),
    );
  });
});

test("inside means the folder itself or below it, not a neighbour with the same beginning", () => {
  expect(isInside("/a/b", "/a/b")).toBe(true);
  expect(isInside("/a/b/c", "/a/b")).toBe(true);
  expect(isInside("/a/bc", "/a/b")).toBe(false);
  expect(isInside("/a", "/")).toBe(true);
});

describe("resolvePath", () => {
  const resolve = async (
    place: { readonly roots: readonly Root[]; readonly data: string },
    input: string,
    use: PathUse = "read",
  ): ReturnType<typeof resolvePath> => {
    const context: PathContext = { roots: place.roots, forbiddenFolders: [place.data] };
    return resolvePath(input, use, context);
  };

  test("an existing file answers with its real place, resource and text", async () => {
    const place = await createTestPlace();
    await mkdir(join(place.workspace, "a"));
    await writeFile(join(place.workspace, "a/x.txt"), "x");
    expect(await resolve(place, "./a//x.txt")).toEqual({
      root: place.roots[0],
      relative: "a/x.txt",
      absolute: join(place.workspace, "a/x.txt"),
      resource: "workspace/a/x.txt",
      text: "a/x.txt",
    });
    expect(await resolve(place, ".")).toMatchObject({ relative: ".", resource: "workspace/." });
  });

  test("a file that does not exist yet is resolved through its nearest existing parent", async () => {
    const place = await createTestPlace();
    await mkdir(join(place.workspace, "real"));
    await symlink("real", join(place.workspace, "alias"));
    expect(await resolve(place, "alias/new/deep.txt", "write")).toMatchObject({
      resource: "workspace/real/new/deep.txt",
      text: "real/new/deep.txt",
    });
  });

  test("a link that stays inside is followed for reading, and policy sees the real name", async () => {
    const place = await createTestPlace();
    await writeFile(join(place.workspace, "secret.txt"), "s");
    await symlink("secret.txt", join(place.workspace, "harmless.txt"));
    expect((await resolve(place, "harmless.txt")).resource).toBe("workspace/secret.txt");
    await expect(resolve(place, "harmless.txt", "remove")).rejects.toMatchObject({ code: "ACTION_INVALID" });
  });

  test("links that lead out are refused, to files and to folders, existing or not", async () => {
    const place = await createTestPlace();
    await writeFile(join(place.outside, "x"), "x");
    await symlink(place.outside, join(place.workspace, "out"));
    await symlink(join(place.outside, "x"), join(place.workspace, "file"));
    for (const input of ["out", "out/x", "out/new", "file"]) {
      await expect(resolve(place, input)).rejects.toMatchObject({
        code: "ACTION_DENIED",
        data: { reason: "PATH_ESCAPES" },
      });
    }
  });

  test("a dangling link is refused: nobody knows where it will lead", async () => {
    const place = await createTestPlace();
    await symlink(join(place.outside, "later"), join(place.workspace, "dangling"));
    await expect(resolve(place, "dangling", "write")).rejects.toMatchObject({ code: "ACTION_INVALID" });
    await expect(resolve(place, "dangling/x", "write")).rejects.toMatchObject({ code: "ACTION_INVALID" });
  });

  test("loops of links and files used as folders are refused", async () => {
    const place = await createTestPlace();
    await symlink("loop", join(place.workspace, "loop"));
    await writeFile(join(place.workspace, "file"), "");
    await expect(resolve(place, "loop")).rejects.toMatchObject({ code: "ACTION_INVALID" });
    await expect(resolve(place, "file/x")).rejects.toMatchObject({ code: "ACTION_INVALID" });
  });

  test("a link to a name that would deceive an approver is refused", async () => {
    const place = await createTestPlace();
    await writeFile(join(place.workspace, "a\u202Eb"), "");
    await symlink("a\u202Eb", join(place.workspace, "plain"));
    await expect(resolve(place, "plain")).rejects.toMatchObject({ code: "ACTION_INVALID" });
  });

  test("a granted root above, at or in the data folder opens nothing of it", async () => {
    const place = await createTestPlace();
    await mkdir(join(place.data, "keys"));
    await mkdir(join(place.data, "workspaces/run_2"));
    const grant = (name: string, path: string): Root => ({ name, path, writable: true });
    const roots = [
      grant("above", join(place.data, "..")),
      grant("at", place.data),
      grant("keys", join(place.data, "keys")),
      grant("other", join(place.data, "workspaces/run_2")),
    ];
    for (const input of ["above:data/keys/k", "above:data", "at:token", "keys:k", "other:x"]) {
      await expect(resolve({ ...place, roots }, input)).rejects.toMatchObject({
        code: "ACTION_DENIED",
        data: { reason: "PATH_FORBIDDEN" },
      });
    }
    expect((await resolve({ ...place, roots }, "above:outside/x")).resource).toBe("above/outside/x");
  });

  test("a data folder reached through a link is forbidden by its real place; one that does not exist yet by its name", async () => {
    const place = await createTestPlace();
    const roots = [{ name: "above", path: join(place.data, ".."), writable: true }];
    await symlink(place.data, join(place.outside, "alias"));
    const forbiddenFolders = [join(place.outside, "alias"), join(place.outside, "later")];
    const context = { roots, forbiddenFolders };
    await expect(resolvePath("above:data/token", "read", context)).rejects.toMatchObject({
      code: "ACTION_DENIED",
    });
    await expect(resolvePath("above:outside/later/x", "read", context)).rejects.toMatchObject({
      code: "ACTION_DENIED",
    });
  });

  test("another run's workspace is not reached through a link planted in one's own", async () => {
    const place = await createTestPlace();
    await mkdir(join(place.data, "workspaces/run_2"));
    await symlink("../run_2", join(place.workspace, "neighbour"));
    await expect(resolve(place, "neighbour/x")).rejects.toMatchObject({ code: "ACTION_DENIED" });
  });

  test("a root that has vanished is told by name", async () => {
    const place = await createTestPlace();
    await rename(place.workspace, `${place.workspace}-gone`);
    await expect(resolve(place, "x")).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringContaining("root workspace") as string,
    });
    await rm(`${place.workspace}-gone`, { recursive: true });
  });
});
