/** The rules that every blob store must pass; each implementation's test calls `describeBlobs`. */
import { describe, expect, test } from "vitest";
import type { BlobRef, BlobStore } from "./blob.ts";
import { createHeader, encryptChunk, encryptTrailer } from "./encrypt.ts";

export interface BlobsUnderTest {
  readonly blobs: BlobStore;
  /** The same place opened again, as after a restart. */
  reopen(): Promise<BlobStore>;
  /** The stored bytes of a blob, and a way to replace or (undefined) remove them. */
  read(ref: BlobRef): Promise<Buffer>;
  replace(ref: BlobRef, bytes: Buffer | undefined): Promise<void>;
  /** The subject's key, as only a writer with a fault would use it. */
  keyOf(subject: string): Promise<Buffer>;
}

const largeBytes = 2 * 1024 * 1024 + 17;

/** `open` makes an empty store and removes it after the test that called it. */
export function describeBlobs(name: string, open: () => Promise<BlobsUnderTest>): void {
  describe(`${name} keeps blobs`, () => {
    test.each([0, 1, 5000, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, largeBytes])(
      "%i bytes come back as they went in, also after a restart, and cannot be read where they are stored",
      async (size) => {
        const { blobs, reopen, read } = await open();
        const bytes = Buffer.alloc(size, "plain text ");
        const ref = await blobs.put("run_1", bytes);
        expect(ref).toMatchObject({
          subject: "run_1",
          sizeBytes: size,
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        });
        const again = await reopen();
        for (const store of [blobs, again]) {
          expect((await store.get(ref)).equals(bytes)).toBe(true);
          expect(Buffer.concat(await collect(store.stream(ref))).equals(bytes)).toBe(true);
          expect(await store.has(ref)).toBe(true);
          await store.verify(ref);
        }
        expect((await read(ref)).includes("plain text")).toBe(false);
      },
    );

    test("a stream of pieces of any size makes the same blob as the bytes at once", async () => {
      const { blobs } = await open();
      const bytes = Buffer.alloc(largeBytes, "some text");
      const whole = await blobs.put("run_1", bytes);
      for (const pieceBytes of [1_000, 1024 * 1024, largeBytes]) {
        expect(await blobs.put("run_1", inPieces(bytes, pieceBytes))).toEqual(whole);
      }
      expect(await blobs.put("run_2", inPieces(bytes, 300_000))).toEqual({ ...whole, subject: "run_2" });
      expect((await blobs.get(whole)).equals(bytes)).toBe(true);
      const empty = await blobs.put("run_1", inPieces(Buffer.alloc(0), 1));
      expect((await blobs.get(empty)).length).toBe(0);
    });

    test("a stream that fails leaves nothing and passes its error on", async () => {
      const { blobs } = await open();
      const failure = new Error("the sender went away");
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(3_000_000, 1);
        throw failure;
      }
      await expect(blobs.put("run_1", failing())).rejects.toBe(failure);
      const ref = await blobs.put("run_1", Buffer.alloc(3_000_000, 1));
      expect((await blobs.get(ref)).length).toBe(3_000_000);
    });

    test("bytes that are there already are not written again, and what has another length is", async () => {
      const { blobs, read, replace } = await open();
      const bytes = Buffer.from("the same bytes");
      const ref = await blobs.put("run_1", bytes);
      const stored = await read(ref);
      expect(await blobs.put("run_1", bytes)).toEqual(ref);
      expect((await read(ref)).equals(stored)).toBe(true);
      await replace(ref, stored.subarray(1));
      await blobs.put("run_1", bytes);
      expect((await blobs.get(ref)).equals(bytes)).toBe(true);
    });

    test("a blob that a faulty writer gave another content's digest is not taken for it", async () => {
      const { blobs, replace, keyOf } = await open();
      const ref = await blobs.put("run_1", Buffer.from("right"));
      const [key, header] = [await keyOf("run_1"), createHeader()];
      const chunk = encryptChunk(
        key,
        { header, subject: "run_1", index: 0, isLast: true },
        Buffer.from("wrong"),
      );
      await replace(ref, Buffer.concat([header, chunk, encryptTrailer(key, header, ref.sha256)]));
      await expectCorrupt(blobs, ref);
    });

    test("the same blob put many times at once is one blob", async () => {
      const { blobs } = await open();
      const refs = await Promise.all(
        Array.from({ length: 8 }, () => blobs.put("run_1", Buffer.from("same"))),
      );
      expect(new Set(refs.map((ref) => ref.sha256)).size).toBe(1);
      expect((await blobs.get(refs[0] as BlobRef)).toString()).toBe("same");
    });

    test("any changed byte is found, in a small blob and at places of a large one", async () => {
      const { blobs, read, replace } = await open();
      const small = await blobs.put("run_1", Buffer.from("short body"));
      const large = await blobs.put("run_1", Buffer.alloc(largeBytes, 7));
      const places = [0, 11, 12, 500_000, 1_048_604, 2_000_000, (await read(large)).length - 1];
      for (const [ref, offsets] of [
        [small, [...(await read(small)).keys()]],
        [large, places],
      ] as const) {
        const good = await read(ref);
        for (const offset of offsets) {
          const bad = Buffer.from(good);
          bad[offset] = (bad[offset] as number) ^ 1;
          await replace(ref, bad);
          await expectCorrupt(blobs, ref);
        }
        await replace(ref, good.subarray(0, -1));
        await expectCorrupt(blobs, ref);
        await replace(ref, Buffer.concat([good, Buffer.from([0])]));
        await expectCorrupt(blobs, ref);
        await replace(ref, good);
        await blobs.verify(ref);
      }
    });

    test("a blob cannot stand in for another, nor for another subject's, nor half of it for the whole", async () => {
      const { blobs, read, replace } = await open();
      const one = await blobs.put("run_1", Buffer.from("one"));
      const two = await blobs.put("run_1", Buffer.from("two"));
      const other = await blobs.put("run_2", Buffer.from("one"));
      await replace(two, await read(one));
      await replace(other, await read(one));
      await expectCorrupt(blobs, two);
      await expectCorrupt(blobs, other);
      const large = await blobs.put("run_1", Buffer.alloc(largeBytes, 7));
      const bytes = await read(large);
      const chunk = 1024 * 1024 + 16;
      await replace(
        large,
        Buffer.concat([
          bytes.subarray(0, 12),
          bytes.subarray(12 + chunk, 12 + 2 * chunk),
          bytes.subarray(12, 12 + chunk),
          bytes.subarray(12 + 2 * chunk),
        ]),
      );
      await expectCorrupt(blobs, large);
    });

    test("what is missing is told apart from what was erased", async () => {
      const { blobs, replace, reopen } = await open();
      const ref = await blobs.put("run_1", Buffer.from("secret"));
      const kept = await blobs.put("run_2", Buffer.from("kept"));
      for (const missing of [
        { ...ref, sha256: "0".repeat(64) },
        { ...ref, subject: "run_9" },
      ]) {
        await expect(blobs.get(missing)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
        expect(await blobs.has(missing)).toBe(false);
      }
      const gone = await blobs.put("run_1", Buffer.from("gone"));
      await replace(gone, undefined);
      await expect(blobs.verify(gone)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
      await blobs.erase("run_1");
      await blobs.erase("run_1");
      await blobs.erase("run_8");
      for (const store of [blobs, await reopen()]) {
        await expect(store.get(ref)).rejects.toMatchObject({ code: "BLOB_ERASED" });
        await expect(store.verify(ref)).rejects.toMatchObject({ code: "BLOB_ERASED" });
        await expect(store.put("run_1", Buffer.from("x"))).rejects.toMatchObject({ code: "BLOB_ERASED" });
        expect(await store.has(ref)).toBe(false);
        expect((await store.get(kept)).toString()).toBe("kept");
      }
    });

    test("names that would lead out of the store are refused", async () => {
      const { blobs } = await open();
      await expect(blobs.put("../x", Buffer.from("a"))).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
      const ref = await blobs.put("run_1", Buffer.from("a"));
      const outside = { ...ref, sha256: "../../keys/blob-master.key" };
      await expect(blobs.get(outside)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    });
  });
}

async function expectCorrupt(blobs: BlobStore, ref: BlobRef): Promise<void> {
  await expect(blobs.get(ref)).rejects.toMatchObject({
    code: "BLOB_CORRUPT",
    message: expect.stringContaining(ref.sha256) as string,
  });
}

async function* inPieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function collect(stream: AsyncIterable<Buffer>): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}
