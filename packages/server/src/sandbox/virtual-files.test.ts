/** Tests of the work folder that a program in QuickJS sees. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listInputs, maxFiles } from "./inputs.ts";
import { createVirtualFiles } from "./virtual-files.ts";
import type { VirtualFiles } from "./virtual-files.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-virtual-"));
  await mkdir(join(folder, "in/sub"), { recursive: true });
  await mkdir(join(folder, "out"));
  await writeFile(join(folder, "in/a"), "input");
  await writeFile(join(folder, "in/sub/b"), "below");
});
afterEach(() => rm(folder, { recursive: true }));

async function open(limits: { fileBytes: number; diskBytes: number }): Promise<VirtualFiles> {
  const inputFolder = join(folder, "in");
  return createVirtualFiles({ inputFolder, inputs: await listInputs(inputFolder), stdin: "typed", limits });
}

const roomy = { fileBytes: 100, diskBytes: 40_960 };

describe("the virtual work folder", () => {
  test("reads inputs by any spelling of their path, stdin, and what was written", async () => {
    const files = await open(roomy);
    for (const path of ["a", "./a", "/box/a", "sub/../a"]) expect(files.read(path).toString()).toBe("input");
    expect(files.read("/dev/stdin").toString()).toBe("typed");
    files.write("./new//file", Buffer.from("written"));
    files.write("a", Buffer.from("changed"));
    expect(files.read("new/file").toString()).toBe("written");
    expect(files.read("a").toString()).toBe("changed");
    expect(files.list()).toEqual(["a", "new/file", "sub/b"]);
  });

  test.each(["missing", "../in/a", "/etc/passwd", "sub", ""])("finds nothing at %j", async (path) => {
    const files = await open(roomy);
    expect(() => files.read(path)).toThrow(`ENOENT: there is no file ${path}`);
  });

  test.each(["../x", "/tmp/x", "a/below", "sub", ".", "x\n"])("refuses to write %j", async (path) => {
    const files = await open(roomy);
    expect(() => files.write(path, Buffer.alloc(1))).toThrow("EINVAL");
    expect(files.limitHit()).toBeUndefined();
  });

  test("limits hold, the first one hit is told, and replacing a file costs its difference", async () => {
    const files = await open(roomy);
    for (let index = 0; index < 8; index += 1) files.write(`f${index}`, Buffer.alloc(100));
    expect(() => files.write("one-more", Buffer.alloc(1))).toThrow(
      "ENOSPC: one-more does not fit into 40960 bytes and 20000 files",
    );
    expect(() => files.write("f0", Buffer.alloc(101))).toThrow(
      "EFBIG: f0 would have 101 bytes, more than 100",
    );
    files.write("f0", Buffer.alloc(50));
    files.write("a", Buffer.alloc(50));
    expect(files.limitHit()).toBe("disk");
  });

  test("as many files as may come out of the other tier, empty ones too", async () => {
    const files = await open(roomy);
    for (let index = 0; index < maxFiles; index += 1) files.write(`f/${index}`, Buffer.alloc(0));
    files.write("f/0", Buffer.alloc(1));
    expect(() => files.write("one-more", Buffer.alloc(0))).toThrow("ENOSPC");
  });

  test("stores only what differs from the inputs", async () => {
    const files = await open(roomy);
    files.write("a", Buffer.from("input"));
    files.write("sub/b", Buffer.from("other"));
    files.write("z/new", Buffer.from("new"));
    expect(files.store(join(folder, "out"))).toEqual(["sub/b", "z/new"]);
    expect((await readdir(join(folder, "out"), { recursive: true })).sort()).toEqual([
      "sub",
      "sub/b",
      "z",
      "z/new",
    ]);
    expect(await readFile(join(folder, "out/sub/b"), "utf8")).toBe("other");
  });
});
