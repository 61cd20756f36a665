import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packTask } from "./pack-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-pack-"));
  await writeFile(join(folder, "workflow.yaml"), "version: 1\n");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(join(folder, name, ".."), { recursive: true });
  await writeFile(join(folder, name), content);
}

describe("packing a folder", () => {
  test("takes every file with its bytes, sorted, and leaves out what no run wants", async () => {
    await put("b/deep/x.bin", new Uint8Array([0, 255]));
    await put("a.txt", "ä");
    await put(".git/config", "secret");
    await put("sub/node_modules/x.js", "x");
    const packed = await packTask(folder, 1_000_000);
    expect(packed.files.map(({ path }) => path)).toEqual(["a.txt", "b/deep/x.bin", "workflow.yaml"]);
    expect(packed.files[1]?.contentBase64).toBe("AP8=");
    expect(packed.workflow).toBe("version: 1\n");
    expect([...packed.skipped].sort()).toEqual([".git", "sub/node_modules"]);
  });

  test("a workflow file alone sends nothing else", async () => {
    await put("a.txt", "a");
    expect(await packTask(join(folder, "workflow.yaml"), 1_000_000)).toMatchObject({
      files: [],
      leavesFolderBehind: true,
    });
    await expect(packTask(join(folder, "a.txt"), 1_000_000)).rejects.toMatchObject({ code: "USAGE" });
  });

  test("a link inside goes along as a file, one that leads out is refused by name", async () => {
    await put("a.txt", "a");
    await symlink("a.txt", join(folder, "inside"));
    expect((await packTask(folder, 1_000_000)).files.map(({ path }) => path)).toContain("inside");
    for (const [target, words] of [
      ["/etc/hostname", "out of the folder, to /etc/hostname"],
      ["../../..", "out of the folder"],
      ["gone", "nowhere"],
      [".", "out of the folder"],
    ] as const) {
      await symlink(target, join(folder, "link"));
      await expect(packTask(folder, 1_000_000)).rejects.toMatchObject({
        code: "USAGE",
        message: expect.stringContaining(`link is a symbolic link that leads ${words}`) as string,
      });
      await rm(join(folder, "link"));
    }
  });

  test("too much is refused before it is sent, naming where the limit was reached", async () => {
    await put("big.bin", Buffer.alloc(10_000));
    await expect(packTask(folder, 10_000)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("holds more than 7.3 KiB (counted up to big.bin)") as string,
    });
  });

  test("a folder without workflow.yaml names the file it does have", async () => {
    await rm(join(folder, "workflow.yaml"));
    await put("other.yaml", "");
    await expect(packTask(folder, 1_000)).rejects.toMatchObject({
      code: "NOT_FOUND",
      hint: `Name the file: homeostat run ${join(folder, "other.yaml")}`,
    });
    await expect(packTask(join(folder, "gone"), 1_000)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
