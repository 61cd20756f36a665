import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { LeaseStore } from "../store/lease.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { BlobRef, BlobStore } from "./blob.ts";
import { openFolderDepot } from "./depot.ts";
import { describeBlobs } from "./describe-blobs.fixture.ts";
import { blobKeysMigration } from "./keys.ts";
import { blobPlaces, checkBlobs, openBlobs, openBlobsReader, openDepot } from "./open-blobs.ts";
import type { BlobPlaces } from "./open-blobs.ts";
import { openS3Bucket } from "./s3-bucket.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { parseS3Place } from "./s3-place.ts";
import { startTestS3 } from "./test-s3.fixture.ts";
import type { TestS3 } from "./test-s3.fixture.ts";

let s3: TestS3;
let buckets = 0;
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3.stop());

interface Place {
  readonly blobs: BlobStore;
  readonly places: BlobPlaces;
  readonly store: LeaseStore;
  readonly bucket: S3Bucket;
  readonly prefix: string;
  readonly base: string;
}

async function place(): Promise<Place> {
  const base = await mkdtemp(join(tmpdir(), "homeostat-s3-test-"));
  const home = { blobs: join(base, "blobs"), keys: join(base, "keys"), scratch: join(base, "scratch") };
  await mkdir(home.keys);
  const store = await openSqliteStore({
    path: join(base, "state.db"),
    migrations: [blobKeysMigration],
    clock,
    logger: createSilentLogger(),
  });
  const url = await s3.bucket(`bucket-${(buckets += 1)}`);
  const places = blobPlaces(home, { url, ...s3.credentials, masterKey: undefined });
  const blobs = await openBlobs(places, { store, clock });
  const s3Place = parseS3Place(url, s3.credentials);
  const bucket = await openS3Bucket(s3Place);
  onTestFinished(async () => {
    bucket.close();
    await store.close();
    await rm(base, { recursive: true, force: true });
  });
  return { blobs, places, store, bucket, prefix: s3Place.prefix, base };
}

async function bytesOf(bucket: S3Bucket, name: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await bucket.get(name))!.body) pieces.push(piece);
  return Buffer.concat(pieces);
}

describeBlobs("a bucket", async () => {
  const { blobs, places, store, bucket, prefix } = await place();
  const nameOf = (ref: BlobRef): string => `${prefix}${ref.subject}/${ref.sha256}`;
  return {
    blobs,
    reopen: () => openBlobs(places, { store, clock }),
    read: (ref) => bytesOf(bucket, nameOf(ref)),
    replace: (ref, bytes) =>
      bytes === undefined ? bucket.remove([nameOf(ref)]) : bucket.put(nameOf(ref), bytes),
  };
});

async function* zeros(sizeBytes: number): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(1024 * 1024);
  for (let left = sizeBytes; left > 0; left -= piece.length) {
    // As a socket would, so that memory can be given back meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
    yield piece.subarray(0, Math.min(left, piece.length));
  }
}

describe("blobs in a bucket", () => {
  test("of 150 MiB go in and out part by part, in bounded memory, and leave no file behind", async () => {
    const { blobs, base } = await place();
    const before = process.memoryUsage().rss;
    let highest = 0;
    const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage().rss)), 5);
    const ref = await blobs.put("run_1", zeros(150 * 1024 * 1024));
    expect(ref.sizeBytes).toBe(150 * 1024 * 1024);
    expect(await readdir(join(base, "scratch", "blobs"))).toEqual([]);
    await blobs.verify(ref);
    clearInterval(watch);
    // The server in this very process holds some of it too.
    expect(highest - before).toBeLessThan(140 * 1024 * 1024);
    let first = true;
    for await (const piece of blobs.stream(ref)) {
      expect(piece.length).toBe(1024 * 1024);
      if (first) break;
      first = false;
    }
  });

  test("that are there already are not sent again, and a damaged one of another length is replaced", async () => {
    const { blobs, bucket, prefix } = await place();
    const bytes = Buffer.from("the same bytes");
    const ref = await blobs.put("run_1", bytes);
    s3.requests();
    await blobs.put("run_1", bytes);
    expect(s3.requests()["PUT"]).toBeUndefined();
    await bucket.put(`${prefix}run_1/${ref.sha256}`, Buffer.from("short"));
    await blobs.put("run_1", bytes);
    expect((await blobs.get(ref)).equals(bytes)).toBe(true);
  });

  test("are tried again after passing faults, and faults that stay are told with a hint", async () => {
    const { blobs } = await place();
    const ref = await blobs.put("run_1", Buffer.from("one"));
    s3.failNext(2, 503);
    expect((await blobs.get(ref)).toString()).toBe("one");
    s3.failNext(2, 0);
    await blobs.put("run_1", Buffer.from("two"));
    s3.failNext(100, 500);
    await expect(blobs.get(ref)).rejects.toMatchObject({ code: "BLOB_STORE_UNAVAILABLE" });
    s3.failNext(1, 403);
    await expect(blobs.get(ref)).rejects.toMatchObject({
      message: expect.stringContaining("access denied (403)") as string,
      hint: expect.stringContaining("ListBucket") as string,
    });
    s3.failNext(0, 0);
  }, 60_000);

  test("are written also to servers that know no conditions, and kept when another was faster", async () => {
    const { bucket } = await place();
    s3.failNext(1, 501);
    await bucket.put("name", Buffer.from("one"), { onlyIfAbsent: true });
    expect((await bytesOf(bucket, "name")).toString()).toBe("one");
    s3.failNext(1, 412);
    await bucket.put("name", Buffer.from("two"), { onlyIfAbsent: true });
    expect((await bytesOf(bucket, "name")).toString()).toBe("one");
  });

  test("an upload that fails in the middle is ended, and erasing removes thousands of objects", async () => {
    const { blobs, bucket, prefix } = await place();
    const names = Array.from({ length: 1_100 }, (_, index) => `${prefix}run_1/${index}`);
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => bucket.put(name, Buffer.from("x"))));
    const other = await blobs.put("run_2", Buffer.from("kept"));
    await blobs.put("run_1", Buffer.from("gone"));
    await blobs.erase("run_1");
    const left: string[] = [];
    for await (const name of bucket.list(prefix)) left.push(name);
    expect(left).toEqual([`${prefix}run_2/${other.sha256}`]);
    const stopped = new Error("the sender went away");
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* zeros(20 * 1024 * 1024);
      throw stopped;
    }
    await expect(blobs.put("run_2", failing())).rejects.toBe(stopped);
  }, 60_000);
});

describe("opening a bucket", () => {
  test("says what is wrong: no bucket, no server, wrong credentials, half of them", async () => {
    const { places, store } = await place();
    const open = (more: Partial<BlobPlaces["settings"]>): Promise<unknown> =>
      openBlobs({ ...places, settings: { ...places.settings, ...more } }, { store, clock });
    const url = places.settings.url!;
    const gone = url.replace(/bucket-\d+/, "no-such-bucket");
    await expect(open({ url: gone })).rejects.toMatchObject({
      code: "BLOB_STORE_UNAVAILABLE",
      message: expect.stringContaining("no such bucket") as string,
    });
    await expect(open({ url: "s3://x-bucket?endpoint=http://127.0.0.1:1" })).rejects.toMatchObject({
      code: "BLOB_STORE_UNAVAILABLE",
      hint: expect.stringContaining("endpoint") as string,
    });
    // The test's server knows its users, but lets a wrong signature pass.
    await expect(open({ accessKeyId: "stranger" })).rejects.toMatchObject({
      code: "BLOB_STORE_UNAVAILABLE",
      message: expect.stringContaining("access denied (403)") as string,
    });
    await expect(open({ secretAccessKey: undefined })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await checkBlobs(places)).toMatch(/^s3:\/\/bucket-\d+\/some\/prefix at http:\/\/127/);
    await expect(
      checkBlobs({ ...places, settings: { ...places.settings, url: gone } }),
    ).rejects.toMatchObject({
      code: "BLOB_STORE_UNAVAILABLE",
    });
  }, 60_000);

  test("a host with another master key is refused, one with the same reads everything", async () => {
    const { blobs, places, store, base } = await place();
    const ref = await blobs.put("run_1", Buffer.from("from the first host"));
    const { readFile } = await import("node:fs/promises");
    const masterKey = (await readFile(join(base, "keys", "blob-master.key"), "utf8")).trim();
    const second = { ...places, keysFolder: join(base, "no-keys-here") };
    const reader = await openBlobsReader({ ...second, settings: { ...places.settings, masterKey } }, store);
    expect((await reader.get(ref)).toString()).toBe("from the first host");
    expect(await reader.has(ref)).toBe(true);
    const other = { ...places.settings, masterKey: "0".repeat(64) };
    await expect(openBlobs({ ...second, settings: other }, { store, clock })).rejects.toMatchObject({
      code: "BLOB_KEYS_UNUSABLE",
      hint: expect.stringContaining("blobs.masterKey") as string,
    });
    await expect(
      openBlobsReader({ ...second, settings: { ...other, masterKey: "short" } }, store),
    ).rejects.toMatchObject({ code: "BLOB_KEYS_UNUSABLE" });
    await expect(openBlobsReader(second, store)).rejects.toMatchObject({ code: "BLOB_KEYS_UNUSABLE" });
  });

  test("the encrypted blobs go to a folder and back, as a backup takes them", async () => {
    const { blobs, places, bucket, prefix, base } = await place();
    const refs = [
      await blobs.put("run_1", Buffer.from("one")),
      await blobs.put("run_2", Buffer.alloc(20_000_000)),
    ];
    const depot = await openDepot(places);
    const folder = openFolderDepot(join(base, "copy"));
    for await (const blob of depot.list()) await folder.write(blob, depot.read(blob));
    for (const { subject, sha256 } of refs) await bucket.remove([`${prefix}${subject}/${sha256}`]);
    await expect(blobs.get(refs[0]!)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    for await (const blob of folder.list()) await depot.write(blob, folder.read(blob));
    for (const ref of refs) await blobs.verify(ref);
    const missing = { subject: "run_1", sha256: "0".repeat(64) };
    await expect(drain(depot.read(missing))).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    await expect(drain(folder.read(missing))).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    await expect(drain(depot.read({ subject: "../x", sha256: "0" }))).rejects.toMatchObject({
      code: "BLOB_NOT_FOUND",
    });
  });
});

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const piece of stream) void piece;
}

describe("the place of a bucket", () => {
  test("is read from its URL", () => {
    expect(parseS3Place("s3://my-bucket", undefined)).toEqual({
      bucket: "my-bucket",
      prefix: "",
      region: "us-east-1",
      endpoint: undefined,
      pathStyle: false,
      credentials: undefined,
      shown: "s3://my-bucket/",
    });
    const full = "s3://my-bucket/a/b/?endpoint=https://minio:9000&region=eu-central-1&pathStyle=false";
    expect(parseS3Place(full, undefined)).toMatchObject({
      prefix: "a/b/",
      region: "eu-central-1",
      endpoint: "https://minio:9000",
      pathStyle: false,
    });
    expect(parseS3Place("s3://my-bucket?endpoint=http://localhost:9000", undefined).pathStyle).toBe(true);
  });

  test.each([
    "http://my-bucket",
    "s3://UPPER",
    "s3://a",
    "s3://my-bucket?endpoint=minio:9000",
    "s3://my-bucket?endpoint=http://user:secret@minio",
    "s3://my-bucket?pathStyle=maybe",
    "s3://my-bucket?zone=1",
  ])("%s is refused with a reason", (url) => {
    expect(() => parseS3Place(url, undefined)).toThrow("blobs.url cannot be used");
  });
});
