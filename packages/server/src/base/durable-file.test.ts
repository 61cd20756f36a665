import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { syncFolder, temporaryPath, writeFileDurably } from "./durable-file.ts";

const folder = mkdtempSync(join(tmpdir(), "durable-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a file is written with its mode and leaves nothing beside it", () => {
  const path = join(folder, "key");
  writeFileDurably(path, "first", 0o600);
  writeFileDurably(path, Buffer.from("second"), 0o600);
  expect(readFileSync(path, "utf8")).toBe("second");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["key"]);
  expect(temporaryPath(path)).toBe(`${path}.tmp`);
});

test("a folder that is missing is an error", () => {
  expect(() => writeFileDurably(join(folder, "no", "file"), "x", 0o600)).toThrow(/ENOENT/);
  expect(() => syncFolder(join(folder, "no"))).toThrow(/ENOENT/);
});
