import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { createArtifactTool } from "./artifact.ts";
import { createTestPlace, perform } from "./testing-context.ts";

test("a file of the workspace gets its note; the path is the real one", async () => {
  const place = await createTestPlace();
  await mkdir(join(place.workspace, "report"));
  await writeFile(join(place.workspace, "report/chart.svg"), "<svg/>");
  const tool = createArtifactTool({ forbiddenFolders: [place.data] });
  const result = await perform(
    tool,
    { path: "./report//chart.svg", title: "Chart", description: "What was found" },
    place.context,
  );
  const note = { path: "report/chart.svg", title: "Chart", description: "What was found" };
  expect(result).toEqual({
    output: { ...note, sha256: sha256("<svg/>"), sizeBytes: 6 },
    labels: [],
    touchedFiles: false,
    artifacts: [note],
  });
  expect(
    (await perform(tool, { path: "report/chart.svg", title: "Chart" }, place.context)).artifacts,
  ).toEqual([{ path: "report/chart.svg", title: "Chart" }]);
});

test("a missing file, a folder and a file of another root are refused", async () => {
  const place = await createTestPlace();
  await mkdir(join(place.workspace, "folder"));
  const tool = createArtifactTool({ forbiddenFolders: [place.data] });
  const context = {
    ...place.context,
    roots: [...place.roots, { name: "other", path: place.outside, writable: true }],
  };
  for (const [path, code] of [
    ["none", "FILE_NOT_FOUND"],
    ["folder", "ACTION_INVALID"],
    ["other:x", "ACTION_INVALID"],
  ]) {
    await expect(perform(tool, { path: path!, title: "T" }, context)).rejects.toMatchObject({ code });
  }
});
