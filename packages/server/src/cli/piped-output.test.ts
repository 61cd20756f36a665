import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const launcher = fileURLToPath(new URL("../../homeostat.js", import.meta.url));

test("a reader that takes its time gets all of a long output", async () => {
  // More than a pipe holds (64 KiB) is still with the command when it has said all it has to say.
  const pipe = '"$0" "$1" policy schema | (sleep 2; cat)';
  const { stdout } = await promisify(execFile)("sh", ["-c", pipe, process.execPath, launcher]);
  expect(stdout.length).toBeGreaterThan(65_536);
  expect(JSON.parse(stdout)).toMatchObject({ $schema: expect.stringContaining("json-schema.org") as string });
});
