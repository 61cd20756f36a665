import { spawnSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { LeaseStore } from "../store/lease.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { BlobRef, BlobStore } from "./blob.ts";
import { openFolderDepot } from "./depot.ts";
import { describeBlobs } from "./describe-blobs.fixture.ts";
import { blobKeysMigration, createKeyReader, masterKeyPath, readMasterKey } from "./keys.ts";
import { blobPlaces, checkBlobs, openBlobs, openBlobsReader, openDepot } from "./open-blobs.ts";
import type { BlobPlaces } from "./open-blobs.ts";
import { describeFailure, openS3Bucket } from "./s3-bucket.ts";
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
    keyOf: async (subject) => {
      const master = await readMasterKey(masterKeyPath(places.keysFolder));
      return await createKeyReader({ store, master }).forReading(subject);
    },
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
    let listed = 0;
    for await (const name of bucket.list(prefix)) listed += Number(names.includes(name));
    expect(listed).toBe(names.length);
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

describe("a bucket whose server fails", () => {
  const large = Buffer.alloc(20 * 1024 * 1024, 1);

  test("at a part of an upload ends it, and tells why; what stays of it goes with the subject", async () => {
    const { blobs, bucket, prefix } = await place();
    s3.failNext(100, 500, (method, path) => method === "PUT" && path.includes("partNumber=2"));
    await expect(blobs.put("run_1", large)).rejects.toMatchObject({ code: "BLOB_STORE_UNAVAILABLE" });
    // Now the call that ends the upload fails as well: the first error is told all the same.
    s3.failNext(100, 403, (method, path) => path.includes("partNumber=2") || method === "DELETE");
    await expect(blobs.put("run_1", large)).rejects.toThrow("access denied (403)");
    s3.failNext(0, 0);
    await blobs.erase("run_1");
    const left: string[] = [];
    for await (const name of bucket.list(prefix)) left.push(name);
    expect(left).toEqual([]);
  }, 60_000);

  test("in the middle of an answer is told as a fault of the server", async () => {
    const { blobs } = await place();
    const ref = await blobs.put("run_1", Buffer.alloc(99_924));
    s3.failNext(1, -1, (method) => method === "GET");
    await expect(blobs.get(ref)).rejects.toMatchObject({ code: "BLOB_STORE_UNAVAILABLE" });
    await blobs.verify(ref);
  });

  test("at a condition, a removal or a list of uploads", async () => {
    const { blobs, bucket } = await place();
    s3.failNext(100, 500, (method) => method === "PUT");
    await expect(bucket.put("x", Buffer.from("y"), { onlyIfAbsent: true })).rejects.toMatchObject({
      code: "BLOB_STORE_UNAVAILABLE",
    });
    const isListOfUploads = (_: string, path: string): boolean => path.includes("uploads");
    for (const status of [501, 405]) {
      s3.failNext(1, status, isListOfUploads);
      await blobs.erase("run_1");
    }
    s3.failNext(100, 403, isListOfUploads);
    await expect(blobs.erase("run_1")).rejects.toThrow("access denied (403)");
    s3.failNext(0, 0);
  }, 60_000);

  test("is one that nobody answers for, under any of its addresses", async () => {
    const nowhere = parseS3Place("s3://my-bucket?endpoint=http://localhost:1", s3.credentials);
    const bucket = await openS3Bucket(nowhere);
    await expect(bucket.check()).rejects.toMatchObject({
      code: "BLOB_STORE_UNAVAILABLE",
      message: expect.stringContaining("ECONNREFUSED") as string,
    });
    bucket.close();
  }, 30_000);

  test("is told with the fault of each address", () => {
    const error = new AggregateError([
      new Error("connect ECONNREFUSED ::1:1"),
      new Error("connect ECONNREFUSED 127.0.0.1:1"),
    ]);
    expect(describeFailure(error)).toBe("connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1");
  });

  test("is asked with the standard chain's credentials where none are set, and says how to set some", async () => {
    const kept = { ...process.env };
    // Nothing of this machine's own, and no look at a cloud's metadata server.
    for (const name of Object.keys(process.env).filter((each) => each.startsWith("AWS_")))
      delete process.env[name];
    Object.assign(process.env, { AWS_EC2_METADATA_DISABLED: "true", HOME: "/nonexistent" });
    try {
      const url = "s3://my-bucket?endpoint=http://127.0.0.1:1";
      const settings = { url, accessKeyId: undefined, secretAccessKey: undefined, masterKey: undefined };
      await expect(checkBlobs({ settings, folder: "/nowhere" })).rejects.toMatchObject({
        code: "BLOB_STORE_UNAVAILABLE",
        hint: expect.stringContaining("AWS_ACCESS_KEY_ID") as string,
      });
    } finally {
      process.env = kept;
    }
  });

  test("needs no look at a server to be opened, with Amazon's own place and credentials", async () => {
    const bucket = await openS3Bucket(parseS3Place("s3://my-bucket", undefined));
    bucket.close();
  });
});

describe("single answers of a server", () => {
  /** Answers each request with the next of these. */
  async function serve(...answers: readonly { status: number; body: string }[]): Promise<S3Bucket> {
    const left = [...answers];
    const server = createServer((request, answer) => {
      request.resume();
      const { status, body } = left.shift() ?? { status: 500, body: "" };
      answer.writeHead(status, { "content-type": "application/xml" }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const bucket = await openS3Bucket(
      parseS3Place(`s3://my-bucket?endpoint=http://127.0.0.1:${port}`, s3.credentials),
    );
    onTestFinished(() => {
      bucket.close();
      server.closeAllConnections();
      server.close();
    });
    return bucket;
  }

  const xml = '<?xml version="1.0"?>';

  test("a removal that one object refused is no removal", async () => {
    const error = "<Error><Key>a</Key><Code>AccessDenied</Code><Message>locked</Message></Error>";
    const bucket = await serve({ status: 200, body: `${xml}<DeleteResult>${error}</DeleteResult>` });
    await expect(bucket.remove(["a"])).rejects.toThrow("a: AccessDenied locked");
  });

  test("an upload that was left is ended, and an empty list is none", async () => {
    const upload = "<Upload><Key>p/a</Key><UploadId>7</UploadId></Upload>";
    const list = (inner: string): string =>
      `${xml}<ListMultipartUploadsResult>${inner}</ListMultipartUploadsResult>`;
    const bucket = await serve(
      { status: 200, body: list(upload) },
      { status: 204, body: "" },
      { status: 200, body: list("") },
      { status: 200, body: `${xml}<ListBucketResult></ListBucketResult>` },
    );
    await bucket.abortUploads("p/");
    await bucket.abortUploads("p/");
    for await (const name of bucket.list("p/")) throw new Error(name);
  });

  test("a bucket in another region says so", async () => {
    const bucket = await serve({
      status: 301,
      body: `${xml}<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>`,
    });
    await expect(bucket.get("a")).rejects.toMatchObject({
      hint: expect.stringContaining("region") as string,
    });
  });
});

describe("blobs on their way into a bucket", () => {
  test("cannot be kept where there is no folder to be made", async () => {
    const { places, store, base } = await place();
    await writeFile(join(base, "file"), "");
    const blocked = { ...places, scratchFolder: join(base, "file", "scratch") };
    const blobs = await openBlobs(blocked, { store, clock });
    await expect(blobs.put("run_1", zeros(10))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  test("an error of the sender's own files is the sender's", async () => {
    const { blobs } = await place();
    async function* lost(): AsyncGenerator<Uint8Array> {
      yield* createReadStream("/nowhere/at/all") as AsyncIterable<Buffer>;
    }
    await expect(blobs.put("run_1", lost())).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a disk that takes no more is told as such, whether they are encrypted here or come from a backup", async () => {
    const { blobs, places } = await place();
    const depot = await openDepot(places);
    const limit = (bytes: string): void =>
      void spawnSync("prlimit", ["--pid", String(process.pid), `--fsize=${bytes}:unlimited`]);
    limit("1000000");
    try {
      const full = { code: "STORE_UNAVAILABLE", message: expect.stringContaining("EFBIG") as string };
      await expect(blobs.put("run_1", zeros(5_000_000))).rejects.toMatchObject(full);
      await expect(blobs.put("run_1", Buffer.alloc(5_000_000))).rejects.toMatchObject(full);
      const blob = { subject: "run_1", sha256: "0".repeat(64) };
      await expect(depot.write(blob, zeros(5_000_000))).rejects.toMatchObject(full);
    } finally {
      limit("unlimited");
    }
  });

  test("strange objects in the bucket are not listed as blobs, and a broken store is not taken for an absent blob", async () => {
    const { blobs, places, bucket, prefix, store } = await place();
    const ref = await blobs.put("run_1", Buffer.from("x"));
    await bucket.put(`${prefix}something else`, Buffer.from("x"));
    const listed: unknown[] = [];
    for await (const blob of (await openDepot(places)).list()) listed.push(blob);
    expect(listed).toEqual([{ subject: "run_1", sha256: ref.sha256 }]);
    const closed = await openBlobsReader(places, {
      read: (sql, params) =>
        params?.[0] === "run_1" ? Promise.reject(new Error("gone")) : store.read(sql, params),
    });
    await expect(closed.has(ref)).rejects.toThrow("gone");
  });
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
