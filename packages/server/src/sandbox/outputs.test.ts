/** Tests of the way of files into a sandbox and out of it, with archives that an attacker would write. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inputSources, listInputs, maxFiles, readInputs } from "./inputs.ts";
import type { FileDigest } from "./inputs.ts";
import { collectOutputs, emptyMark } from "./outputs.ts";
import type { CollectedOutputs } from "./outputs.ts";
import { writeTar } from "./tar.ts";
import type { TarSource } from "./tar.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-files-"));
  await mkdir(join(folder, "in"));
  await mkdir(join(folder, "out"));
});
afterEach(() => rm(folder, { recursive: true }));

const limits = { diskBytes: 1 << 20, fileBytes: 1 << 16 };

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  // An archive comes in parts of any size; the first is shorter than the mark of an empty folder.
  yield bytes.subarray(0, 2);
  yield bytes.subarray(2);
}

function file(path: string, text: string): TarSource {
  const bytes = Buffer.from(text);
  return {
    path,
    kind: "file",
    sizeBytes: bytes.length,
    mode: 0o644,
    modifiedAtMs: -1,
    async *read() {
      yield bytes;
    },
  };
}

async function* fire(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(0);
  throw new Error("disk on fire");
}

function subfolder(path: string): TarSource {
  return { path, kind: "folder", mode: 0o755, modifiedAtMs: 0 };
}

async function pack(sources: readonly TarSource[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of writeTar(sources)) parts.push(part);
  return Buffer.concat(parts);
}

/** The inputs' digests, taken the way a run takes them, and their archive. */
async function packInputs(): Promise<{ digests: Map<string, FileDigest>; archive: Buffer }> {
  const digests = new Map<string, FileDigest>();
  const list = await listInputs(join(folder, "in"));
  return { archive: await pack(inputSources(join(folder, "in"), list, digests)), digests };
}

async function collect(
  archive: Buffer,
  inputs: ReadonlyMap<string, FileDigest> = new Map(),
): Promise<CollectedOutputs> {
  return await collectOutputs(once(archive), { outputFolder: join(folder, "out"), inputs, limits });
}

describe("inputs", () => {
  test("files and folders are listed in order, links and odd names stay outside", async () => {
    const source = join(folder, "in");
    await mkdir(join(source, "b/empty"), { recursive: true });
    await writeFile(join(source, "b/z"), "12345");
    await writeFile(join(source, "a"), "");
    await writeFile(join(source, "odd\nname"), "x");
    await symlink("/etc", join(source, "link"));
    execFileSync("mkfifo", [join(source, "pipe")]);
    const list = await listInputs(source);
    expect(list.files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ["a", 0],
      ["b/z", 5],
    ]);
    expect(list.folders.map(({ path }) => path)).toEqual(["b", "b/empty"]);
    expect(list).toMatchObject({ diskBytes: 4096, largestFileBytes: 5 });
    expect(list.refused).toEqual([
      { path: "link", reason: "symbolic link, not copied in" },
      { path: "odd\nname", reason: "the name has control characters" },
      { path: "pipe", reason: "special file, not copied in" },
    ]);
  });

  test("a folder that does not fit is refused with both sizes", async () => {
    await writeFile(join(folder, "in/a"), Buffer.alloc(5000));
    expect((await readInputs(join(folder, "in"), { diskBytes: 8192 })).files.length).toBe(1);
    expect((await readInputs(undefined, { diskBytes: 0 })).files).toEqual([]);
    await expect(readInputs(join(folder, "in"), { diskBytes: 8191 })).rejects.toMatchObject({
      code: "SANDBOX_REQUEST_INVALID",
      data: { inputBytes: 8192, diskBytes: 8191 },
    });
  });

  test("a folder with too many files is refused", { timeout: 60_000 }, async () => {
    execFileSync("sh", ["-c", `cd "$1" && seq ${maxFiles + 1} | xargs touch`, "sh", join(folder, "in")]);
    await expect(listInputs(join(folder, "in"))).rejects.toMatchObject({ code: "SANDBOX_REQUEST_INVALID" });
  });

  test("a file that becomes shorter meanwhile is an error, not a shorter file", async () => {
    await writeFile(join(folder, "in/a"), "123456");
    const list = await listInputs(join(folder, "in"));
    await truncate(join(folder, "in/a"), 3);
    await expect(pack(inputSources(join(folder, "in"), list, new Map()))).rejects.toMatchObject({
      code: "SANDBOX_FAILED",
      message: "a became shorter while it was copied into the sandbox",
    });
  });

  test("a file that becomes a link meanwhile is not followed", async () => {
    await writeFile(join(folder, "in/a"), "123456");
    const list = await listInputs(join(folder, "in"));
    await rm(join(folder, "in/a"));
    await symlink("/etc/passwd", join(folder, "in/a"));
    await expect(pack(inputSources(join(folder, "in"), list, new Map()))).rejects.toMatchObject({
      code: "ELOOP",
    });
  });
});

describe("outputs", () => {
  test("only new and changed files come out, and deleted ones are told", async () => {
    await mkdir(join(folder, "in/sub"));
    for (const name of ["same", "sub/changed", "gone"]) await writeFile(join(folder, "in", name), name);
    const { digests } = await packInputs();
    const archive = await pack([
      file("same", "same"),
      subfolder("sub"),
      file("sub/changed", "changed!"),
      file("new/deep/er", "x"),
    ]);
    expect(await collect(archive, digests)).toEqual({
      written: ["new/deep/er", "sub/changed"],
      deleted: ["gone"],
      refused: [],
    });
    expect(await readFile(join(folder, "out/sub/changed"), "utf8")).toBe("changed!");
    expect(await readdir(join(folder, "out"))).toEqual(["new", "sub"]);
  });

  test("what goes in unchanged gives nothing", async () => {
    await mkdir(join(folder, "in/b/c"), { recursive: true });
    for (const name of ["a", "b/c/d", "b/c/e"]) await writeFile(join(folder, "in", name), "x");
    const { archive, digests } = await packInputs();
    expect(await collect(archive, digests)).toEqual({ written: [], deleted: [], refused: [] });
    expect(await readdir(join(folder, "out"))).toEqual([]);
  });

  test("an empty work folder means that everything was deleted", async () => {
    await writeFile(join(folder, "in/a"), "x");
    const { digests } = await packInputs();
    expect(await collect(Buffer.from(emptyMark), digests)).toEqual({
      written: [],
      deleted: ["a"],
      refused: [],
    });
  });

  test("names that lead elsewhere are refused", async () => {
    const archive = await pack([
      file("../escaped", "x"),
      file("/tmp/escaped", "x"),
      file("a/../../escaped", "x"),
      file("fine", "x"),
    ]);
    const outputs = await collect(archive);
    expect(outputs.written).toEqual(["fine"]);
    expect(outputs.refused.map((each) => each.path)).toEqual([
      "../escaped",
      "/tmp/escaped",
      "a/../../escaped",
    ]);
    expect(await readdir(folder)).toEqual(["in", "out"]);
  });

  test("links, pipes and devices are refused and lead nowhere for files after them", async () => {
    const link = await pack([file("out", "")]);
    link.write("2", 156, "latin1");
    link.write("/tmp", 157, "latin1");
    const sum = link
      .subarray(0, 512)
      .reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    link.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    const archive = Buffer.concat([link.subarray(0, 512), await pack([file("out/escaped", "x")])]);
    expect(await collect(archive)).toEqual({
      written: ["out/escaped"],
      deleted: [],
      refused: [{ path: "out", reason: "symbolic link" }],
    });
    expect(await readFile(join(folder, "out/out/escaped"), "utf8")).toBe("x");
  });

  test("names that collide are refused, the first one counts", async () => {
    const archive = await pack([
      file("a", "first"),
      file("a", "second"),
      file("a/b", "x"),
      file("d/e", "x"),
      file("d", "x"),
    ]);
    const outputs = await collect(archive);
    expect(outputs.written).toEqual(["a", "d/e"]);
    expect(outputs.refused.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
      "a: the name collides with another output",
      "a/b: the name collides with another output",
      "d: the name collides with another output",
    ]);
    expect(await readFile(join(folder, "out/a"), "utf8")).toBe("first");
  });

  test("an error of the host itself is not hidden", async () => {
    await rm(join(folder, "out"), { recursive: true });
    await writeFile(join(folder, "out"), "");
    // The folder's name is taken by a file: this is ours, but looks like a collision and is told as one.
    expect((await collect(await pack([file("a/b", "x")]))).refused.length).toBe(1);
    const body: TarSource = {
      path: "a",
      kind: "file",
      sizeBytes: 1,
      mode: 0o644,
      modifiedAtMs: 0,
      read: () => fire(),
    };
    await rm(join(folder, "out"));
    await mkdir(join(folder, "out"));
    await expect(
      collectOutputs(
        (async function* () {
          yield* writeTar([body]);
        })(),
        { outputFolder: join(folder, "out"), inputs: new Map(), limits },
      ),
    ).rejects.toThrow("disk on fire");
  });

  test("an archive that stops early gives nothing at all", async () => {
    await writeFile(join(folder, "in/kept"), "x");
    const { digests } = await packInputs();
    const archive = await pack([file("a", "x"), file("b", "y".repeat(2000))]);
    for (const length of [0, 700, 1536, 2500, archive.length - 1024]) {
      const outputs = await collect(archive.subarray(0, length), digests);
      expect(outputs).toEqual({
        written: [],
        deleted: [],
        refused: [
          { path: ".", reason: "nothing kept: the program was ended before its files could be collected" },
        ],
      });
      expect((await readdir(join(folder, "out"))).filter((name) => name === "a")).toEqual([]);
      await rm(join(folder, "out"), { recursive: true });
      await mkdir(join(folder, "out"));
    }
  });

  test("a damaged archive gives nothing at all", async () => {
    const archive = Buffer.concat([(await pack([file("a", "x")])).subarray(0, 1024), Buffer.alloc(512, 1)]);
    expect((await collect(archive)).refused).toEqual([
      { path: ".", reason: "nothing kept: a header of the stream is damaged" },
    ]);
  });

  test("a file above the file limit is refused unless it came in with that size", async () => {
    await writeFile(join(folder, "in/large"), Buffer.alloc(limits.fileBytes + 1));
    const { archive, digests } = await packInputs();
    expect(await collect(archive, digests)).toEqual({ written: [], deleted: [], refused: [] });
    expect(await collect(archive)).toMatchObject({
      written: [],
      refused: [{ path: "large", reason: "65537 bytes are more than the file limit of 65536" }],
    });
  });

  test("a file of exactly the limit and a full disk name the limits", async () => {
    expect(await collect(await pack([file("a", "x".repeat(limits.fileBytes))]))).toMatchObject({
      written: ["a"],
      limitHit: "file-size",
    });
    const full = Array.from({ length: 255 }, (_, index) => file(`f${index}`, "x".repeat(4000)));
    expect(await collect(await pack(full))).toMatchObject({ limitHit: "disk" });
  });

  test("files that claim more than the disk are given up before they are read", async () => {
    const sparse = Array.from({ length: 30 }, (_, index) => file(`f${index}`, "x".repeat(65_000)));
    expect(await collect(await pack(sparse))).toEqual({
      written: [],
      deleted: [],
      refused: [{ path: ".", reason: "nothing kept: the files claim more bytes than the disk limit" }],
      limitHit: "disk",
    });
    expect(await readdir(join(folder, "out"))).toEqual([]);
  });

  test("more files than allowed give nothing at all", { timeout: 60_000 }, async () => {
    const many = Array.from({ length: maxFiles + 1 }, (_, index) => subfolder(`d${index}`));
    expect(await collect(await pack(many))).toMatchObject({ written: [], limitHit: "disk" });
  });
});
