import { chmod, mkdtemp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { openFolderBlobs, openFolderBlobsReader } from "./folder.ts";
import { chunkBytes } from "./encrypt.ts";
import { blobKeysMigration } from "./keys.ts";

async function place() {
  const base = await mkdtemp(join(tmpdir(), "homeostat-blobs-"));
  const folder = join(base, "blobs");
  const keysFolder = join(base, "keys");
  await mkdir(folder);
  await mkdir(keysFolder);
  const store = await openSqliteStore({
    path: join(base, "state.db"),
    migrations: [blobKeysMigration],
    clock: systemClock,
    logger: createSilentLogger(),
  });
  onTestFinished(async () => {
    await store.close();
    await rm(base, { recursive: true, force: true });
  });
  const options = { folder, keysFolder, store, clock: systemClock };
  return { ...options, options, blobs: await openFolderBlobs(options) };
}

describe("blobs in a folder", () => {
  test.each([0, 1, 5_000, chunkBytes, chunkBytes + 1, 2 * chunkBytes + 17])(
    "%i bytes come back as they went in, and nobody can read them on disk",
    async (size) => {
      const { blobs, folder } = await place();
      const bytes = Buffer.alloc(size, "plain text ");
      const ref = await blobs.put("run_1", bytes);
      expect(ref).toMatchObject({ subject: "run_1", sizeBytes: size });
      expect((await blobs.get(ref)).equals(bytes)).toBe(true);
      const stored = await readFile(join(folder, "run_1", ref.sha256));
      expect(stored.includes("plain text")).toBe(false);
    },
  );

  test("the same bytes are kept once, also when put many times at once, and no temporary file stays", async () => {
    const { blobs, folder } = await place();
    const refs = await Promise.all(Array.from({ length: 8 }, () => blobs.put("run_1", Buffer.from("same"))));
    expect(new Set(refs.map((ref) => ref.sha256)).size).toBe(1);
    expect(await readdir(join(folder, "run_1"))).toEqual([refs[0]!.sha256]);
    expect((await blobs.get(refs[0]!)).toString()).toBe("same");
  });

  test("a change of any single byte is found", async () => {
    const { blobs, folder } = await place();
    const ref = await blobs.put("run_1", Buffer.from("short body"));
    const path = join(folder, "run_1", ref.sha256);
    const good = await readFile(path);
    for (let index = 0; index < good.length; index += 1) {
      const bad = Buffer.from(good);
      bad[index]! ^= 1;
      await writeFile(path, bad);
      await expect(blobs.get(ref)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    }
    await writeFile(path, good.subarray(0, -1));
    await expect(blobs.get(ref)).rejects.toMatchObject({
      code: "BLOB_CORRUPT",
      message: expect.stringContaining(path) as string,
    });
  });

  test("a blob cannot stand in for another, nor for another subject's", async () => {
    const { blobs, folder } = await place();
    const one = await blobs.put("run_1", Buffer.from("one"));
    const two = await blobs.put("run_1", Buffer.from("two"));
    const other = await blobs.put("run_2", Buffer.from("one"));
    await writeFile(join(folder, "run_1", two.sha256), await readFile(join(folder, "run_1", one.sha256)));
    await writeFile(join(folder, "run_2", other.sha256), await readFile(join(folder, "run_1", one.sha256)));
    await expect(blobs.get(two)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    await expect(blobs.get(other)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  });

  test("what is missing is told apart from what was erased", async () => {
    const { blobs, options } = await place();
    const ref = await blobs.put("run_1", Buffer.from("secret"));
    await expect(blobs.get({ ...ref, sha256: "0".repeat(64) })).rejects.toMatchObject({
      code: "BLOB_NOT_FOUND",
    });
    await expect(blobs.get({ ...ref, subject: "run_9" })).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    await blobs.erase("run_1");
    await expect(blobs.get(ref)).rejects.toMatchObject({ code: "BLOB_ERASED" });
    await expect((await openFolderBlobs(options)).put("run_1", Buffer.from("x"))).rejects.toMatchObject({
      code: "BLOB_ERASED",
    });
  });

  test("names that would lead out of the folder are refused", async () => {
    const { blobs } = await place();
    await expect(blobs.put("../x", Buffer.from("a"))).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    const ref = { subject: "run_1", sha256: "../../keys/blob-master.key", sizeBytes: 1 };
    await blobs.put("run_1", Buffer.from("a"));
    await expect(blobs.get(ref)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
  });

  test("a reader opens what is there and makes nothing", async () => {
    const { blobs, options, keysFolder } = await place();
    const ref = await blobs.put("run_1", Buffer.from("a"));
    expect((await (await openFolderBlobsReader(options)).get(ref)).toString()).toBe("a");
    await rm(join(keysFolder, "blob-master.key"));
    await expect(openFolderBlobsReader(options)).rejects.toMatchObject({ code: "BLOB_KEYS_UNUSABLE" });
    expect(await readdir(keysFolder)).toEqual([]);
  });

  test("a master key that others may read, that is no key, or that is another one is refused", async () => {
    const { blobs, options, keysFolder } = await place();
    const ref = await blobs.put("run_1", Buffer.from("a"));
    const path = join(keysFolder, "blob-master.key");
    await chmod(path, 0o644);
    await expect(openFolderBlobs(options)).rejects.toMatchObject({ code: "BLOB_KEYS_UNUSABLE" });
    await chmod(path, 0o600);
    await writeFile(path, "no key");
    await expect(openFolderBlobs(options)).rejects.toMatchObject({ code: "BLOB_KEYS_UNUSABLE" });
    await writeFile(path, `${"ab".repeat(32)}\n`);
    await expect((await openFolderBlobs(options)).get(ref)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  });
});
