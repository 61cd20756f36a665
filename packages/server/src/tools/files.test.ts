import { execFileSync } from "node:child_process";
import {
  chmod,
  link,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../base/canonical-json.ts";
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import { createFileTools } from "./files.ts";
import type { FileTools } from "./files.ts";
import { createTestPlace, perform, prepare } from "./testing-context.ts";
import type { TestPlace } from "./testing-context.ts";
import type { Tool } from "./tool.ts";

async function createPlaceWithTools(
  files: Readonly<Record<string, string>> = {},
): Promise<TestPlace & { readonly tools: FileTools }> {
  const place = await createTestPlace();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(place.workspace, name, ".."), { recursive: true });
    await writeFile(join(place.workspace, name), content);
  }
  return { ...place, tools: createFileTools({ forbiddenFolders: [place.data] }) };
}

async function outputOf<Args>(
  place: TestPlace,
  tool: Tool<Args>,
  given: JsonObject,
): Promise<Record<string, unknown>> {
  return (await perform(tool, given, place.context)).output as Record<string, unknown>;
}

describe("file_ops.read", () => {
  test("reads text, JSON and bytes, and says where they came from", async () => {
    const place = await createPlaceWithTools({ "a.txt": "größe\n", "b.json": '{"n":[1,2]}' });
    const { read } = place.tools;
    const result = await perform(read, { path: "a.txt" }, place.context);
    expect(result).toEqual({
      output: { path: "a.txt", encoding: "text", content: "größe\n", offset: 0, bytesRead: 8, sizeBytes: 8 },
      labels: ["file"],
      touchedFiles: false,
    });
    expect(await outputOf(place, read, { path: "b.json", encoding: "json" })).toMatchObject({
      content: { n: [1, 2] },
    });
    expect(await outputOf(place, read, { path: "a.txt", encoding: "base64" })).toMatchObject({
      content: Buffer.from("größe\n").toString("base64"),
    });
  });

  test("a range gives a part, also of a file larger than the limit", async () => {
    const place = await createPlaceWithTools({ big: "0123456789" });
    const { read } = place.tools;
    expect(await outputOf(place, read, { path: "big", offset: 8, length: 5 })).toMatchObject({
      content: "89",
      bytesRead: 2,
      sizeBytes: 10,
    });
    expect(await outputOf(place, read, { path: "big", offset: 7, maxBytes: 2 })).toMatchObject({
      content: "78",
    });
    await expect(perform(read, { path: "big", maxBytes: 9 }, place.context)).rejects.toMatchObject({
      code: "FILE_TOO_LARGE",
    });
    await expect(
      perform(read, { path: "big", encoding: "json", length: 2 }, place.context),
    ).rejects.toMatchObject({ code: "ACTION_INVALID" });
  });

  test("what is not text or not JSON is told, not mangled", async () => {
    const place = await createPlaceWithTools({ "a.json": "{" });
    await writeFile(join(place.workspace, "bytes"), Buffer.from([0xff, 0xfe, 0x00]));
    const { read } = place.tools;
    await expect(perform(read, { path: "bytes" }, place.context)).rejects.toMatchObject({
      code: "FILE_INVALID",
    });
    await expect(perform(read, { path: "a.json", encoding: "json" }, place.context)).rejects.toMatchObject({
      code: "FILE_INVALID",
    });
    expect(await outputOf(place, read, { path: "bytes", length: 2 })).toMatchObject({
      content: "\ufffd\ufffd",
    });
  });

  test("missing files, folders, pipes and sockets are refused without waiting", async () => {
    const place = await createPlaceWithTools({ "folder/x": "" });
    execFileSync("mkfifo", [join(place.workspace, "pipe")]);
    const server = createServer().listen(join(place.workspace, "socket"));
    const { read } = place.tools;
    for (const [path, code] of [
      ["none", "FILE_NOT_FOUND"],
      ["folder", "ACTION_INVALID"],
      ["pipe", "ACTION_INVALID"],
      ["socket", "ACTION_INVALID"],
    ]) {
      await expect(perform(read, { path: path! }, place.context)).rejects.toMatchObject({ code });
    }
    server.close();
  });

  test("a file swapped for a link between decision and act is not read", async () => {
    const place = await createPlaceWithTools({ "a/x.txt": "harmless" });
    await writeFile(join(place.outside, "x.txt"), "secret");
    const resolved = await prepare(place.tools.read, { path: "a/x.txt" }, place.context);
    await rm(join(place.workspace, "a/x.txt"));
    await symlink(join(place.outside, "x.txt"), join(place.workspace, "a/x.txt"));
    await expect(place.tools.read.execute(resolved, place.context)).rejects.toMatchObject({
      code: "FILE_CHANGED",
    });
    await rm(join(place.workspace, "a"), { recursive: true });
    await symlink(place.outside, join(place.workspace, "a"));
    await expect(place.tools.read.execute(resolved, place.context)).rejects.toMatchObject({
      code: "FILE_CHANGED",
    });
  });
});

describe("file_ops.write", () => {
  test("writes text, JSON and bytes, making folders; the arguments carry the digest", async () => {
    const place = await createPlaceWithTools();
    const { write } = place.tools;
    const resolved = await prepare(write, { path: "out/a.txt", content: "hello" }, place.context);
    expect(resolved).toEqual({
      resource: "workspace/out/a.txt",
      args: { path: "out/a.txt", content: "hello", encoding: "text", sha256: sha256("hello"), sizeBytes: 5 },
      summary: "write out/a.txt (5 B)",
    });
    expect(await write.execute(resolved, place.context)).toMatchObject({ touchedFiles: true });
    await perform(write, { path: "b.json", content: { a: [1] }, encoding: "json" }, place.context);
    await perform(write, { path: "c.bin", content: "/wA=", encoding: "base64" }, place.context);
    expect(await readFile(join(place.workspace, "out/a.txt"), "utf8")).toBe("hello");
    expect(JSON.parse(await readFile(join(place.workspace, "b.json"), "utf8"))).toEqual({ a: [1] });
    expect([...(await readFile(join(place.workspace, "c.bin")))]).toEqual([0xff, 0]);
    expect(await readdir(place.workspace)).toEqual(["b.json", "c.bin", "out"]);
  });

  test("replaces a file whole, keeps its permissions and leaves hard links of the old content alone", async () => {
    const place = await createPlaceWithTools({ "a.sh": "old" });
    await chmod(join(place.workspace, "a.sh"), 0o750);
    await link(join(place.workspace, "a.sh"), join(place.outside, "kept"));
    await perform(place.tools.write, { path: "a.sh", content: "new" }, place.context);
    expect((await stat(join(place.workspace, "a.sh"))).mode & 0o777).toBe(0o750);
    expect(await readFile(join(place.outside, "kept"), "utf8")).toBe("old");
  });

  test("running twice, also after a crash left half a file, ends in the same state", async () => {
    const place = await createPlaceWithTools();
    const resolved = await prepare(place.tools.write, { path: "a.txt", content: "hello" }, place.context);
    await place.tools.write.execute(resolved, place.context);
    await place.tools.write.execute(resolved, place.context);
    expect(await readdir(place.workspace)).toEqual(["a.txt"]);
  });

  test("writes nothing once its time is over, though no timer has told it yet", async () => {
    const place = await createPlaceWithTools({ "a.txt": "as another worker left it" });
    const requireTime = (): void => {
      throw new HomeostatError("TIMEOUT", "The time of 5 ms is over");
    };
    const late = { ...place, context: { ...place.context, requireTime } };
    const writing = outputOf(late, place.tools.write, { path: "a.txt", content: "late" });
    await expect(writing).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(await readFile(join(place.workspace, "a.txt"), "utf8")).toBe("as another worker left it");
  });

  test("a link swapped in at the target is replaced, never written through", async () => {
    const place = await createPlaceWithTools();
    await writeFile(join(place.outside, "x"), "untouched");
    const resolved = await prepare(place.tools.write, { path: "x", content: "mine" }, place.context);
    await symlink(join(place.outside, "x"), join(place.workspace, "x"));
    await place.tools.write.execute(resolved, place.context);
    expect(await readFile(join(place.outside, "x"), "utf8")).toBe("untouched");
    expect(await readFile(join(place.workspace, "x"), "utf8")).toBe("mine");
  });

  test("wrong content, too much content and folders as targets are told", async () => {
    const place = await createPlaceWithTools({ "folder/x": "" });
    const { write } = place.tools;
    const refuse = async (given: JsonObject, code: string): Promise<void> => {
      await expect(perform(write, given, place.context)).rejects.toMatchObject({ code });
    };
    await refuse({ path: "a", content: { not: "text" } }, "ACTION_INVALID");
    await refuse({ path: "a", content: "no base64!", encoding: "base64" }, "ACTION_INVALID");
    await refuse({ path: "a", content: "x".repeat(8 * 1024 * 1024 + 1) }, "FILE_TOO_LARGE");
    await refuse({ path: "folder", content: "x" }, "ACTION_INVALID");
    await refuse({ path: "a", content: "x", mode: "append" }, "ACTION_INVALID");
  });
});

describe("file_ops.list", () => {
  test("lists one folder or all below it, sorted, links not followed, half-written files hidden", async () => {
    const place = await createPlaceWithTools({
      "b.txt": "22",
      "a/deep/x": "1",
      "a/y": "",
      ".homeostat-00.tmp": "half",
    });
    await symlink(place.outside, join(place.workspace, "z"));
    const flat = await outputOf(place, place.tools.list, {});
    expect(flat).toMatchObject({
      path: ".",
      files: [{ path: "b.txt", kind: "file", sizeBytes: 2 }],
      others: [
        { path: "a", kind: "folder" },
        { path: "z", kind: "link" },
      ],
      truncated: false,
      totalBytes: 2,
    });
    const deep = await outputOf(place, place.tools.list, { recursive: true });
    expect((deep["files"] as { path: string }[]).map((file) => file.path)).toEqual([
      "a/deep/x",
      "a/y",
      "b.txt",
    ]);
    expect((deep["files"] as { modifiedAt: string }[])[0]!.modifiedAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test("says when there was more than the limit", async () => {
    const place = await createPlaceWithTools({ a: "", b: "", c: "" });
    const output = await outputOf(place, place.tools.list, { limit: 2 });
    expect(output).toMatchObject({ truncated: true });
    expect(output["files"]).toHaveLength(2);
  });

  test("a root above the data folder is listed without what is in it", async () => {
    const place = await createPlaceWithTools({ secret: "" });
    const above = { name: "above", path: join(place.data, ".."), writable: false };
    await writeFile(join(place.outside, "x"), "");
    const context = { ...place.context, roots: [above] };
    const { output } = await perform(place.tools.list, { path: "above:.", recursive: true }, context);
    expect(output).toMatchObject({ files: [{ path: "above:outside/x" }] });
  });

  test("a missing folder and a file are refused", async () => {
    const place = await createPlaceWithTools({ a: "" });
    await expect(perform(place.tools.list, { path: "none" }, place.context)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
    await expect(perform(place.tools.list, { path: "a" }, place.context)).rejects.toMatchObject({
      code: "ACTION_INVALID",
    });
  });
});

describe("file_ops.delete", () => {
  test("the approval is bound to every file's digest; the summary is for people", async () => {
    const place = await createPlaceWithTools({ "stale/a": "A", "stale/b": "BB" });
    const resolved = await prepare(
      place.tools.delete,
      { paths: ["stale/b", "stale/a", "./stale/b"] },
      place.context,
    );
    expect(resolved).toEqual({
      resource: "workspace/stale/b",
      otherResources: ["workspace/stale/a"],
      args: {
        files: [
          { path: "stale/b", sha256: sha256("BB"), sizeBytes: 2 },
          { path: "stale/a", sha256: sha256("A"), sizeBytes: 1 },
        ],
      },
      summary: "delete 2 files (3 B): stale/b, stale/a",
    });
    const { output } = await place.tools.delete.execute(resolved, place.context);
    expect(output).toMatchObject({
      deleted: [{ path: "stale/b" }, { path: "stale/a" }],
      missing: [],
      freedBytes: 3,
    });
    expect(await readdir(join(place.workspace, "stale"))).toEqual([]);
  });

  test("deletes and moves nothing once its time is over, and every file has its name again", async () => {
    const place = await createPlaceWithTools({ a: "A", b: "B" });
    const requireTime = (): void => {
      throw new HomeostatError("TIMEOUT", "The time of 5 ms is over");
    };
    const late = { ...place, context: { ...place.context, requireTime } };
    const deleting = outputOf(late, place.tools.delete, { paths: ["a", "b"] });
    await expect(deleting).rejects.toMatchObject({ code: "TIMEOUT" });
    const moving = outputOf(late, place.tools.move, { from: "a", to: "c" });
    await expect(moving).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(await readdir(place.workspace)).toEqual(["a", "b"]);
  });

  test("one changed file spares all of them", async () => {
    const place = await createPlaceWithTools({ a: "A", b: "B" });
    const resolved = await prepare(place.tools.delete, { paths: ["a", "b"] }, place.context);
    await writeFile(join(place.workspace, "b"), "other");
    await expect(place.tools.delete.execute(resolved, place.context)).rejects.toMatchObject({
      code: "FILE_CHANGED",
    });
    expect(await readdir(place.workspace)).toEqual(["a", "b"]);
  });

  test("links, folders, missing files and both arguments at once are refused", async () => {
    const place = await createPlaceWithTools({ "folder/x": "" });
    await symlink("folder/x", join(place.workspace, "link"));
    for (const [given, code] of [
      [{ path: "link" }, "ACTION_INVALID"],
      [{ path: "folder" }, "ACTION_INVALID"],
      [{ path: "none" }, "FILE_NOT_FOUND"],
      [{ path: ".", paths: ["a"] }, "ACTION_INVALID"],
      [{}, "ACTION_INVALID"],
      [{ paths: [] }, "ACTION_INVALID"],
    ] as const) {
      await expect(prepare(place.tools.delete, given, place.context)).rejects.toMatchObject({ code });
    }
  });

  test("after a crash check tells whether it happened, and a half-done delete is finished", async () => {
    const place = await createPlaceWithTools({ "d/a": "A", "d/b": "B" });
    const tool = place.tools.delete;
    const resolved = await prepare(tool, { paths: ["d/a", "d/b"] }, place.context);
    expect(await tool.check!(resolved, place.context)).toEqual({ kind: "did-not-happen" });
    await rm(join(place.workspace, "d/a"));
    expect(await tool.check!(resolved, place.context)).toEqual({ kind: "did-not-happen" });
    const { output } = await tool.execute(resolved, place.context);
    expect(output).toMatchObject({ deleted: [{ path: "d/b" }], missing: [{ path: "d/a" }] });
    expect(await tool.check!(resolved, place.context)).toMatchObject({
      kind: "happened",
      result: { output: { deleted: [{ path: "d/a" }, { path: "d/b" }] }, touchedFiles: true },
    });
    await rm(join(place.workspace, "d"), { recursive: true });
    expect(await tool.check!(resolved, place.context)).toMatchObject({ kind: "happened" });
    await mkdir(join(place.workspace, "d"));
    await writeFile(join(place.workspace, "d/a"), "something new");
    expect(await tool.check!(resolved, place.context)).toEqual({ kind: "unknown" });
  });

  test("a folder swapped for a link between decision and act spares the file outside", async () => {
    const place = await createPlaceWithTools({ "a/x": "same" });
    await writeFile(join(place.outside, "x"), "same");
    const resolved = await prepare(place.tools.delete, { path: "a/x" }, place.context);
    await rename(join(place.workspace, "a"), join(place.workspace, "aside"));
    await symlink(place.outside, join(place.workspace, "a"));
    await expect(place.tools.delete.execute(resolved, place.context)).rejects.toMatchObject({
      code: "FILE_CHANGED",
    });
    expect(await readFile(join(place.outside, "x"), "utf8")).toBe("same");
  });
});

describe("file_ops.move", () => {
  test("moves a file into a new folder and names both ends for policy", async () => {
    const place = await createPlaceWithTools({ a: "A" });
    const resolved = await prepare(place.tools.move, { from: "a", to: "new/b" }, place.context);
    expect(resolved).toEqual({
      resource: "workspace/a",
      otherResources: ["workspace/new/b"],
      args: { from: "a", to: "new/b", sha256: sha256("A"), sizeBytes: 1 },
      summary: "move a to new/b (1 B)",
    });
    await place.tools.move.execute(resolved, place.context);
    expect(await readdir(place.workspace)).toEqual(["new"]);
    expect(await readFile(join(place.workspace, "new/b"), "utf8")).toBe("A");
  });

  test("never overwrites: neither what was there nor what appeared meanwhile", async () => {
    const place = await createPlaceWithTools({ a: "A", b: "B" });
    await expect(prepare(place.tools.move, { from: "a", to: "b" }, place.context)).rejects.toMatchObject({
      code: "FILE_EXISTS",
    });
    await expect(prepare(place.tools.move, { from: "a", to: "./a" }, place.context)).rejects.toMatchObject({
      code: "ACTION_INVALID",
    });
    const resolved = await prepare(place.tools.move, { from: "a", to: "c" }, place.context);
    await writeFile(join(place.workspace, "c"), "C");
    await expect(place.tools.move.execute(resolved, place.context)).rejects.toMatchObject({
      code: "FILE_EXISTS",
    });
    expect(await readFile(join(place.workspace, "c"), "utf8")).toBe("C");
  });

  test("a source whose content changed is left where it is", async () => {
    const place = await createPlaceWithTools({ a: "A" });
    const resolved = await prepare(place.tools.move, { from: "a", to: "b" }, place.context);
    await writeFile(join(place.workspace, "a"), "changed");
    await expect(place.tools.move.execute(resolved, place.context)).rejects.toMatchObject({
      code: "FILE_CHANGED",
    });
    expect(await readdir(place.workspace)).toEqual(["a"]);
  });

  test("moves between roots on different disks by copying", async () => {
    const place = await createPlaceWithTools({ a: "A" });
    const memory = await stat("/dev/shm").catch(() => undefined);
    if (memory === undefined || memory.dev === (await stat(place.workspace)).dev) return;
    const shm = `/dev/shm/homeostat-move-${process.pid}`;
    await mkdir(shm);
    const context = { ...place.context, roots: [...place.roots, { name: "shm", path: shm, writable: true }] };
    await perform(place.tools.move, { from: "a", to: "shm:b" }, context);
    expect(await readFile(join(shm, "b"), "utf8")).toBe("A");
    expect(await readdir(shm)).toEqual(["b"]);
    expect(await readdir(place.workspace)).toEqual([]);
    await rm(shm, { recursive: true });
  });

  test("after a crash check tells how far it came, and executing again finishes it", async () => {
    const place = await createPlaceWithTools({ a: "A" });
    const tool = place.tools.move;
    const resolved = await prepare(tool, { from: "a", to: "d/b" }, place.context);
    expect(await tool.check!(resolved, place.context)).toEqual({ kind: "did-not-happen" });
    await mkdir(join(place.workspace, "d"));
    await link(join(place.workspace, "a"), join(place.workspace, "d/b"));
    expect(await tool.check!(resolved, place.context)).toEqual({ kind: "did-not-happen" });
    await tool.execute(resolved, place.context);
    expect(await readdir(place.workspace)).toEqual(["d"]);
    expect(await tool.check!(resolved, place.context)).toMatchObject({ kind: "happened" });
    await writeFile(join(place.workspace, "d/b"), "other");
    expect(await tool.check!(resolved, place.context)).toEqual({ kind: "unknown" });
  });
});

test("an aborted act ends with the reason and leaves nothing half done", async () => {
  const place = await createPlaceWithTools({ a: "A" });
  const context = { ...place.context, signal: AbortSignal.abort(new Error("cancelled")) };
  await expect(perform(place.tools.write, { path: "b", content: "B" }, context)).rejects.toThrow("cancelled");
  await expect(perform(place.tools.delete, { path: "a" }, context)).rejects.toThrow("cancelled");
  expect(await readdir(place.workspace)).toEqual(["a"]);
});
