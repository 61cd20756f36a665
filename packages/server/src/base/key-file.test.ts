import { constants } from "node:buffer";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HomeostatError } from "./error.ts";
import { createOnce, openKeyFile, readKeyFile } from "./key-file.ts";
import type { KeyFile } from "./key-file.ts";

let folder = "";
let file: KeyFile;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "homeostat-key-"));
  file = { path: join(folder, "master.key"), what: "the master key", code: "SECRETS_KEY_UNUSABLE" };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function refusal(reading: Promise<unknown>): Promise<HomeostatError> {
  const error: unknown = await reading.catch((thrown: unknown) => thrown);
  if (error instanceof HomeostatError) return error;
  throw new Error(`not refused as it should be: ${String(error)}`);
}

test("a key is made once, for its owner alone, and read again ever after", async () => {
  const key = await openKeyFile(file);
  expect(key.length).toBe(32);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  expect(readFileSync(file.path, "utf8")).toBe(`${key.toString("hex")}\n`);
  expect(await openKeyFile(file)).toEqual(key);
  expect(await readKeyFile(file)).toEqual(key);
});

test("many that start together have the same key, and no draft is left", async () => {
  const keys = await Promise.all(Array.from({ length: 20 }, () => openKeyFile(file)));
  expect(new Set(keys.map((key) => key.toString("hex"))).size).toBe(1);
  expect(readdirSync(folder)).toEqual(["master.key"]);
});

test("who comes second leaves the first one's line as it is", async () => {
  await createOnce(file.path, "first");
  await createOnce(file.path, "second");
  expect(readFileSync(file.path, "utf8")).toBe("first\n");
  expect(readdirSync(folder)).toEqual(["master.key"]);
});

test("a key in a folder that is not there is an error, and the folder is not made", async () => {
  await expect(createOnce(join(folder, "away", "key"), "line")).rejects.toMatchObject({ code: "ENOENT" });
  expect(readdirSync(folder)).toEqual([]);
});

test("a line that could not be written leaves neither a file nor a draft", async () => {
  const tooLong = "x".repeat(constants.MAX_STRING_LENGTH);
  await expect(createOnce(file.path, tooLong)).rejects.toThrow(RangeError);
  expect(readdirSync(folder)).toEqual([]);
});

test("a key that is to be read is not made", async () => {
  const error = await refusal(readKeyFile(file));
  expect(error).toMatchObject({ code: file.code, message: expect.stringContaining("is missing") });
  expect(readdirSync(folder)).toEqual([]);
});

test("a key that others may read is refused, with the command that helps", async () => {
  await openKeyFile(file);
  for (const mode of [0o640, 0o604, 0o610]) {
    chmodSync(file.path, mode);
    const error = await refusal(openKeyFile(file));
    expect(error).toMatchObject({ code: file.code, hint: `chmod 600 ${file.path}` });
  }
});

test.each([
  ["nothing", ""],
  ["too little", "ab\n"],
  ["too much", `${"a".repeat(66)}\n`],
  ["no hex digits", `${"g".repeat(64)}\n`],
  ["no end of line, as after a torn write", "a".repeat(64)],
])("a file with %s is no key", async (_what, text) => {
  writeFileSync(file.path, text, { mode: 0o600 });
  const error = await refusal(openKeyFile(file));
  expect(error).toMatchObject({ code: file.code, message: expect.stringContaining("does not hold a key") });
  expect(readFileSync(file.path, "utf8")).toBe(text);
});
