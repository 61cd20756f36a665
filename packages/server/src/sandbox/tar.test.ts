/** Tests of the archives in which files enter and leave a sandbox. */
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTar, writeTar } from "./tar.ts";
import type { TarSource } from "./tar.ts";

function source(path: string, content: Buffer | undefined): TarSource {
  const member = { path, mode: 0o644, modifiedAtMs: 1_700_000_000_000 };
  if (content === undefined) return { ...member, kind: "folder" };
  return {
    ...member,
    kind: "file",
    sizeBytes: content.length,
    async *read() {
      // In two parts, as from a disk.
      yield content.subarray(0, 3);
      yield content.subarray(3);
    },
  };
}

async function write(sources: readonly TarSource[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of writeTar(sources)) parts.push(part);
  return Buffer.concat(parts);
}

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Every entry as a line of text; files with their content unless their body is to be left alone. */
async function read(bytes: Buffer, { chunk = 1000, skipBodies = false } = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const entry of readTar(inChunks(bytes, chunk))) {
    if (entry.kind === "file") {
      const parts: Buffer[] = [];
      if (!skipBodies) for await (const part of entry.body) parts.push(part);
      lines.push(`file ${entry.path} ${entry.sizeBytes} ${Buffer.concat(parts).toString()}`);
    } else if (entry.kind === "folder") lines.push(`folder ${entry.path}`);
    else if (entry.kind === "other") lines.push(`${entry.what} ${entry.path}`);
    else lines.push(entry.kind === "broken" ? `broken: ${entry.reason}` : "end");
  }
  return lines;
}

/** The first header of an archive with some bytes changed and its checksum made right again. */
function forged(archive: Buffer, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(archive);
  const header = copy.subarray(0, 512);
  change(header);
  header.write("        ", 148, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return copy;
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

const name = fc.stringMatching(/^[a-zé€𝄞][a-z0-9 é]{0,60}$/u);
const path = fc.array(name, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));

describe("tar", () => {
  test("what was written is read back, in chunks of any size", async () => {
    const files = fc.array(fc.tuple(path, fc.option(fc.string({ maxLength: 1500 }), { nil: undefined })), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 3000 }), async (entries, chunk) => {
        const sources = entries.map(([each, text]) =>
          source(each, text === undefined ? undefined : Buffer.from(text)),
        );
        const expected = entries.map(([each, text]) =>
          text === undefined
            ? `folder ${each}`
            : `file ${each} ${Buffer.byteLength(text)} ${Buffer.from(text).toString()}`,
        );
        expect(await read(await write(sources), { chunk })).toEqual([...expected, "end"]);
      }),
    );
  });

  test("bodies that nobody reads are skipped", async () => {
    const archive = await write([source("a", Buffer.alloc(1300, 97)), source("b", Buffer.from("bytes"))]);
    expect(await read(archive, { skipBodies: true })).toEqual(["file a 1300 ", "file b 5 ", "end"]);
  });

  test("GNU tar unpacks what is written here, and what it packs is read here", async () => {
    const folder = mkdtempSync(join(tmpdir(), "homeostat-tar-"));
    try {
      const long = "n".repeat(120);
      const files = [
        source("a", undefined),
        source(`a/${long}é`, Buffer.from("long")),
        source("b", Buffer.from("short")),
      ];
      execFileSync("tar", ["-xf", "-", "-C", folder], { input: await write(files) });
      expect(readdirSync(join(folder, "a"))).toEqual([`${long}é`]);
      expect(readFileSync(join(folder, "b"), "utf8")).toBe("short");
      symlinkSync("/etc/passwd", join(folder, "link"));
      execFileSync("mkfifo", [join(folder, "pipe")]);
      mkdirSync(join(folder, "empty"));
      writeFileSync(join(folder, "same"), "x");
      execFileSync("ln", [join(folder, "same"), join(folder, "z-hard")]);
      for (const format of ["gnu", "pax"]) {
        const packed = execFileSync("tar", [
          "-cf",
          "-",
          "--sort=name",
          `--format=${format}`,
          "-C",
          folder,
          ".",
        ]);
        expect(await read(packed)).toEqual([
          "folder ",
          "folder a",
          `file a/${long}é 4 long`,
          "file b 5 short",
          "folder empty",
          "symbolic link link",
          "named pipe pipe",
          "file same 1 x",
          "hard link z-hard",
          "end",
        ]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("an archive that stops early has no end", async () => {
    const archive = await write([source("a", Buffer.alloc(2000, 97))]);
    for (const length of [0, 100, 512, 600, 2560])
      expect(await read(archive.subarray(0, length))).not.toContain("end");
  });

  test("a damaged header breaks off", async () => {
    const archive = await write([source("a", Buffer.from("x"))]);
    archive[0] = 98;
    expect(await read(archive)).toEqual(["broken: a header of the stream is damaged"]);
  });

  test("a size that is no octal number breaks off", async () => {
    const archive = forged(await write([source("a", Buffer.from("x"))]), (header) =>
      header.fill(0x80, 124, 136),
    );
    expect(await read(archive)).toEqual(["broken: a header of the stream is damaged"]);
  });

  test("a name of unreasonable length breaks off before it is read", async () => {
    const archive = forged(await write([source("a", Buffer.from("x"))]), (header) => {
      header.write("L", 156, "latin1");
      header.write("00000200001\0", 124, "latin1");
    });
    expect(await read(archive)).toEqual(["broken: a name in the stream is too long"]);
  });

  test("old and odd marks of regular files, unknown kinds and sizes on links are understood", async () => {
    const archive = await write([source("a", Buffer.from("x")), source("b", Buffer.from("y"))]);
    for (const flag of ["\0", "7"])
      expect(await read(forged(archive, (header) => header.write(flag, 156, "latin1")))).toEqual([
        "file a 1 x",
        "file b 1 y",
        "end",
      ]);
    expect((await read(forged(archive, (header) => header.write("S", 156, "latin1"))))[0]).toBe(
      "special file a",
    );
    const link = forged(
      await write([source("a", Buffer.alloc(0)), source("b", Buffer.from("y"))]),
      (header) => {
        header.write("2", 156, "latin1");
        header.write("00000001000\0", 124, "latin1");
      },
    );
    expect(await read(link)).toEqual(["symbolic link a", "file b 1 y", "end"]);
  });

  test("a prefix of ustar stands in front of the name, and a name may fill its field", async () => {
    const archive = forged(await write([source("n".repeat(100), Buffer.from("x"))]), (header) =>
      header.write("deep/er", 345),
    );
    expect((await read(archive))[0]).toBe(`file deep/er/${"n".repeat(100)} 1 x`);
  });

  test("pax records with other keys or without sense change nothing", async () => {
    const records = ["12 mtime=123\n", "no record", "3 x"];
    for (const record of records) {
      const head = await write([source("pax", Buffer.from(record))]);
      const rest = await write([source("plain", Buffer.from("x"))]);
      const archive = Buffer.concat([
        forged(head, (header) => header.write("x", 156, "latin1")).subarray(0, 1024),
        rest,
      ]);
      expect(await read(archive)).toEqual(["file plain 1 x", "end"]);
    }
  });

  test("the length of a pax record counts its own digits", async () => {
    for (const length of [...range(90, 115), ...range(980, 1000)]) {
      const each = "n".repeat(length);
      expect((await read(await write([source(each, Buffer.from("x"))])))[0]).toBe(`file ${each} 1 x`);
    }
  });
});
