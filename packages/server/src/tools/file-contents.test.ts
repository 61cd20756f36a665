import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isTemporaryName, replaceFile } from "./file-contents.ts";
import { fileError } from "./file-errors.ts";
import { openFolder } from "./open-folder.ts";
import { parsePath } from "./paths.ts";
import { createTestPlace } from "./testing-context.ts";

test("the file is unseen until it is whole, and what a killed writer left is swept by the same step's next try", async () => {
  const place = await createTestPlace();
  const folder = await openFolder(parsePath(".", "read", place.roots), { forbiddenFolders: [] });
  const during: string[] = [];
  async function* content(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("first ");
    during.push(...(await readdir(place.workspace)));
    yield Buffer.from("second");
  }
  const target = { folder, name: "a.txt", what: "workspace/a.txt", idempotencyKey: "run/step/1" };
  await replaceFile({ ...target, content: content() });
  expect(during).toHaveLength(1);
  expect(isTemporaryName(during[0]!)).toBe(true);

  await writeFile(join(place.workspace, during[0]!), "half of a longer text than the next one");
  await replaceFile({ ...target, content: Buffer.from("third") });
  expect(await readdir(place.workspace)).toEqual(["a.txt"]);
  expect(await readFile(join(place.workspace, "a.txt"), "utf8")).toBe("third");
  await folder.close();
});

test("a writer that fails leaves the old content and no rest", async () => {
  const place = await createTestPlace();
  await writeFile(join(place.workspace, "a.txt"), "old");
  const folder = await openFolder(parsePath(".", "read", place.roots), { forbiddenFolders: [] });
  async function* content(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("half");
    throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC", errno: -28 });
  }
  const target = { folder, name: "a.txt", what: "workspace/a.txt", idempotencyKey: "run/step/1" };
  await expect(replaceFile({ ...target, content: content() })).rejects.toMatchObject({
    code: "FILE_UNAVAILABLE",
    data: { errno: "ENOSPC", transient: true },
  });
  await folder.close();
  expect(await readdir(place.workspace)).toEqual(["a.txt"]);
  expect(await readFile(join(place.workspace, "a.txt"), "utf8")).toBe("old");
});

test.each([
  ["ENOENT", "FILE_NOT_FOUND", false],
  ["EEXIST", "FILE_EXISTS", false],
  ["ELOOP", "ACTION_INVALID", false],
  ["ENOTDIR", "ACTION_INVALID", false],
  ["EISDIR", "ACTION_INVALID", false],
  ["ENXIO", "ACTION_INVALID", false],
  ["EACCES", "FILE_UNAVAILABLE", false],
  ["EROFS", "FILE_UNAVAILABLE", false],
  ["EDQUOT", "FILE_UNAVAILABLE", true],
  ["EMFILE", "FILE_UNAVAILABLE", true],
  ["EIO", "FILE_UNAVAILABLE", false],
])("%s becomes %s, worth a retry: %s", (errno, code, transient) => {
  const error = Object.assign(new Error(`${errno}: it failed`), { code: errno, errno: -1 });
  expect(fileError(error, "read workspace/a")).toMatchObject({ code, data: { errno, transient } });
});

test("the reason of an abort is not dressed up as a file error", () => {
  const reason = new DOMException("stopped", "AbortError");
  expect(fileError(reason, "read workspace/a")).toBe(reason);
});
