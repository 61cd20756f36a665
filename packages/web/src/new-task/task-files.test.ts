import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeFiles, toBase64, type TaskFile } from "./task-files.ts";

test("toBase64 keeps every byte, also across pieces", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(Uint8Array.from(atob(toBase64(bytes)), (c) => c.charCodeAt(0))).toEqual(bytes);
    }),
  );
  const large = new Uint8Array(60_001).map((_, index) => index % 251);
  expect(Uint8Array.from(atob(toBase64(large)), (c) => c.charCodeAt(0))).toEqual(large);
});

test("mergeFiles lets the later of two files with one path stay", () => {
  const file = (path: string, sizeBytes: number): TaskFile => ({ path, sizeBytes, contentBase64: "" });
  expect(
    mergeFiles([file("b", 1), file("a", 1)], [file("b", 2)]).map((row) => `${row.path}${row.sizeBytes}`),
  ).toEqual(["a1", "b2"]);
});
