import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import type { Store } from "../store/store.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { BlobRef, BlobStore } from "./blob.ts";
import { toChunks } from "./chunks.ts";
import { describeBlobs } from "./describe-blobs.fixture.ts";
import { openFolderBlobs, openFolderBlobsReader } from "./folder.ts";
import type { FolderBlobsOptions } from "./folder.ts";
import {
  blobKeysMigration,
  createKeyReader,
  createSubjectKeys,
  masterKeyPath,
  readMasterKey,
} from "./keys.ts";
import { openFolderDepot } from "./depot.ts";
import { wrapKey } from "./encrypt.ts";
import { decryptStream } from "./read-stream.ts";
import { blobPlaces, checkBlobs, openBlobs, openBlobsReader, openDepot } from "./open-blobs.ts";

interface Place {
  readonly folder: string;
  readonly keysFolder: string;
  readonly options: FolderBlobsOptions;
  readonly blobs: BlobStore;
  readonly pathOf: (ref: BlobRef) => string;
}

async function place(wrapStore: (store: Store) => Store = (store) => store): Promise<Place> {
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
  const options = { folder, keysFolder, store: wrapStore(store), clock: systemClock };
  const pathOf = (ref: BlobRef): string => join(folder, ref.subject, ref.sha256);
  return { folder, keysFolder, options, blobs: await openFolderBlobs(options), pathOf };
}

describeBlobs("a folder", async () => {
  const { blobs, options, pathOf } = await place();
  return {
    blobs,
    reopen: () => openFolderBlobs(options),
    read: (ref) => readFile(pathOf(ref)),
    replace: (ref, bytes) => (bytes === undefined ? rm(pathOf(ref)) : writeFile(pathOf(ref), bytes)),
    keyOf: async (subject) =>
      createKeyReader({
        store: options.store,
        master: await readMasterKey(masterKeyPath(options.keysFolder)),
      }).forReading(subject),
  };
});

describe("blobs in a folder", () => {
  test("no temporary file stays, also when a stream fails", async () => {
    const { blobs, folder } = await place();
    const refs = await Promise.all(Array.from({ length: 8 }, () => blobs.put("run_1", Buffer.from("same"))));
    const failing = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("gone")),
    });
    await expect(blobs.put("run_1", failing)).rejects.toThrow("gone");
    expect(await readdir(join(folder, "run_1"))).toEqual([refs[0]?.sha256]);
  });

  test("a folder that cannot be written is told as such", async () => {
    const { blobs, folder } = await place();
    await writeFile(join(folder, "run_1"), "a file in the way");
    await expect(blobs.put("run_1", Buffer.from("a"))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("run_1") as string,
    });
  });

  test("a symbolic link is not followed", async () => {
    const { blobs, pathOf } = await place();
    const ref = await blobs.put("run_1", Buffer.from("a"));
    const copy = `${pathOf(ref)}.copy`;
    await writeFile(copy, await readFile(pathOf(ref)));
    await rm(pathOf(ref));
    await symlink(copy, pathOf(ref));
    await expect(blobs.get(ref)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  });

  test("a file that shrinks while it is read is damage, not a wrong answer", async () => {
    const { blobs, pathOf } = await place();
    const ref = await blobs.put("run_1", Buffer.alloc(3_000_000, 1));
    const reading = blobs.stream(ref)[Symbol.asyncIterator]();
    await reading.next();
    await writeFile(pathOf(ref), "");
    await expect(reading.next()).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
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
    const other = await openFolderBlobs(options);
    await expect(other.get(ref)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    await expect(other.has(ref)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  });

  test("of two writers who make a subject's key at once the first counts", async () => {
    const { options } = await place();
    const stores = await Promise.all([openFolderBlobs(options), openFolderBlobs(options)]);
    const refs = await Promise.all(stores.map((store, i) => store.put("run_1", Buffer.from(`body ${i}`))));
    for (const store of [...stores, await openFolderBlobs(options)]) {
      for (const [i, ref] of refs.entries()) expect((await store.get(ref)).toString()).toBe(`body ${i}`);
    }
  });

  test("a database that cannot be written is told as it is", async () => {
    const down = new HomeostatError("STORE_UNAVAILABLE", "no database");
    const { blobs } = await place((store) => ({ ...store, write: () => Promise.reject(down) }));
    await expect(blobs.put("run_1", Buffer.from("a"))).rejects.toBe(down);
  });
});

test("chunks are cut at their size whatever the pieces, and exactly one is the last", async () => {
  async function* from(sizes: readonly number[]): AsyncGenerator<Uint8Array> {
    for (const size of sizes) yield Buffer.alloc(size, 1);
  }
  const cut = async (content: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> => {
    const sizes: number[] = [];
    let isEnded = false;
    for await (const { bytes, index, isLast } of toChunks(content, 4)) {
      expect([index, isEnded]).toEqual([sizes.length, false]);
      sizes.push(bytes.length);
      isEnded = isLast;
    }
    expect(isEnded).toBe(true);
    return sizes.join();
  };
  expect(await cut(from([]))).toBe("0");
  expect(await cut(from([0, 3, 0]))).toBe("3");
  expect(await cut(from([4]))).toBe("4");
  expect(await cut(from([1, 1, 1, 1, 1]))).toBe("4,1");
  expect(await cut(from([12]))).toBe("4,4,4");
  expect(await cut(from([9, 9]))).toBe("4,4,4,4,2");
  expect(await cut(Buffer.alloc(5))).toBe("4,1");
});

describe("keys in memory", () => {
  test("are forgotten when they are many, and read again when needed", async () => {
    const master = Buffer.alloc(32, 1);
    const looked = new Map<string, number>();
    const reader = createKeyReader({
      master,
      store: {
        read: (_sql, params) => {
          const subject = String(params?.[0]);
          looked.set(subject, (looked.get(subject) ?? 0) + 1);
          return Promise.resolve([{ wrapped: wrapKey(master, subject, Buffer.alloc(32, 2)) }]);
        },
      },
    });
    for (let index = 0; index < 1_001; index += 1) await reader.forReading(`run_${index}`);
    await reader.forReading("run_1000");
    await reader.forReading("run_0");
    expect([looked.get("run_1000"), looked.get("run_0")]).toEqual([1, 2]);
  });

  test("one that another process erased no longer opens anything, though this process still knows it", async () => {
    const { blobs, options, folder } = await place();
    const ref = await blobs.put("run_1", Buffer.from("x"));
    await blobs.get(ref);
    const other = createSubjectKeys({
      ...options,
      master: await readMasterKey(masterKeyPath(options.keysFolder)),
    });
    await other.erase("run_1");
    await rm(join(folder, "run_1"), { recursive: true });
    await expect(blobs.get(ref)).rejects.toMatchObject({ code: "BLOB_ERASED" });
  });
});

describe("the folder's encrypted files", () => {
  test("are listed without what is none, and a folder that cannot be read is no empty one", async () => {
    const { blobs, folder } = await place();
    const ref = await blobs.put("run_1", Buffer.from("x"));
    await mkdir(join(folder, "Not A Subject"));
    await writeFile(join(folder, "run_1", "half.tmp"), "x");
    const listed: unknown[] = [];
    for await (const blob of openFolderDepot(folder).list()) listed.push(blob);
    expect(listed).toEqual([{ subject: "run_1", sha256: ref.sha256 }]);
    await writeFile(join(folder, "run_9"), "");
    await expect(openFolderDepot(folder).list()[Symbol.asyncIterator]().next()).resolves.toMatchObject({
      done: false,
    });
    const noFolder = openFolderDepot(join(folder, "run_9"));
    await expect(noFolder.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "ENOTDIR" });
    expect(await openFolderDepot(join(folder, "none")).list()[Symbol.asyncIterator]().next()).toMatchObject({
      done: true,
    });
  });
});

describe("blobs as configured", () => {
  const inFolder = {
    url: undefined,
    accessKeyId: undefined,
    secretAccessKey: undefined,
    masterKey: undefined,
  };

  test("lie in the data folder where no bucket is named", async () => {
    const { options, folder, keysFolder } = await place();
    const places = blobPlaces({ blobs: folder, keys: keysFolder, scratch: folder }, inFolder);
    await expect(openBlobsReader(places, options.store)).resolves.toBeDefined();
    const [one, two] = await Promise.all([openBlobs(places, options), openBlobs(places, options)]);
    const ref = await one.put("run_1", Buffer.from("x"));
    expect((await two.get(ref)).toString()).toBe("x");
    const reader = await openBlobsReader(places, options.store);
    expect((await reader.get(ref)).toString()).toBe("x");
    const listed: unknown[] = [];
    for await (const blob of (await openDepot(places)).list()) listed.push(blob);
    expect(listed).toHaveLength(1);
    expect(await checkBlobs(places)).toBe(folder);
  });

  test("are not opened while the database cannot be written", async () => {
    const failure = new HomeostatError("STORE_UNAVAILABLE", "the disk is full");
    const { options, folder, keysFolder } = await place((store) => ({
      ...store,
      write: () => Promise.reject(failure),
    }));
    const places = blobPlaces({ blobs: folder, keys: keysFolder, scratch: folder }, inFolder);
    await expect(openBlobs(places, options)).rejects.toBe(failure);
  });
});

test("an encrypted stream that ends early is damaged", async () => {
  const ref = { subject: "run_1", sha256: "0".repeat(64), sizeBytes: 5 };
  async function* short(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("HSB1");
  }
  const source = { place: "somewhere", sizeBytes: 81, body: short() };
  const pieces = decryptStream(source, Buffer.alloc(32), ref);
  await expect(pieces.next()).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
});
