import { readFile, readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runScript } from "./testing-script.ts";

const folder = fileURLToPath(new URL("scripts/", import.meta.url));

/** HOMEOSTAT_TEST_UPDATE=1 writes what the commands print into the scripts; read the difference before keeping it. */
const isUpdate = process.env["HOMEOSTAT_TEST_UPDATE"] === "1";

describe("the command line says what its scripts say", async () => {
  const scripts = (await readdir(folder)).filter((name) => name.endsWith(".txt"));
  test.each(scripts)("%s", { timeout: 120_000 }, async (name) => {
    const script = await readFile(folder + name, "utf8");
    const actual = await runScript(script);
    if (isUpdate) await writeFile(folder + name, actual);
    else expect(actual).toBe(script);
  });
});
