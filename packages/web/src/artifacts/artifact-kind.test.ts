import { expect, test } from "vitest";
import { artifactKind, artifactMark } from "./artifact-kind.ts";

test("artifactKind goes by media type, parameters aside", () => {
  const kinds = [
    "image/png",
    "image/svg+xml",
    "text/markdown; charset=utf-8",
    "application/ld+json",
    "application/zip",
  ];
  expect(kinds.map((mediaType) => artifactKind({ mediaType }))).toEqual([
    "picture",
    "picture",
    "text",
    "text",
    "other",
  ]);
});

test("artifactMark is the extension, if it is one", () => {
  expect(["a.csv", "b.tar.gz", "README", "x.verylong"].map((filename) => artifactMark({ filename }))).toEqual(
    ["CSV", "GZ", "BIN", "BIN"],
  );
});
