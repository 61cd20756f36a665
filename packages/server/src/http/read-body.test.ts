import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readBody } from "./read-body.ts";

async function* from(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

test("gives the pieces as one, whether their length was told or not", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 70_000 }), { maxLength: 5 }), async (pieces) => {
      const whole = Buffer.concat(pieces);
      const limitBytes = whole.length;
      for (const told of [undefined, String(whole.length)]) {
        const body = await readBody(from(pieces), { limitBytes, told });
        expect(body.equals(whole)).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});

test("grows beyond its first room when nobody told the length", async () => {
  const pieces = Array.from({ length: 9 }, (_, index) => Buffer.alloc(50_000, index));
  const body = await readBody(from(pieces), { limitBytes: 1_000_000, told: undefined });
  expect(body.equals(Buffer.concat(pieces))).toBe(true);
});

test("refuses what is too large by its word before it reads, and by its pieces as soon as they are too many", async () => {
  let hasRead = false;
  async function* reading(): AsyncGenerator<Uint8Array> {
    hasRead = true;
    yield Buffer.alloc(10);
    yield Buffer.alloc(10);
    throw new Error("read on");
  }
  const refused = expect.objectContaining({ code: "REQUEST_TOO_LARGE" }) as unknown;
  await expect(readBody(reading(), { limitBytes: 15, told: "20" })).rejects.toEqual(refused);
  expect(hasRead).toBe(false);
  await expect(readBody(reading(), { limitBytes: 15, told: undefined })).rejects.toEqual(refused);
  await expect(readBody(reading(), { limitBytes: 15, told: "15" })).rejects.toEqual(refused);
});

test("refuses a body of another length than was told, and one that breaks off", async () => {
  const short = readBody(from([Buffer.alloc(3)]), { limitBytes: 15, told: "4" });
  await expect(short).rejects.toMatchObject({
    code: "REQUEST_MALFORMED",
    message: expect.stringContaining("4") as string,
  });
  const broken = new Readable({ read: () => broken.destroy(new Error("gone")) });
  await expect(readBody(broken, { limitBytes: 15, told: "4" })).rejects.toMatchObject({
    code: "REQUEST_MALFORMED",
    message: "The body broke off: gone",
  });
});
