/** Parity: whatever the program's tables hold is on its page. */
import { describe, expect, test } from "vitest";
import { errorCodes } from "../packages/server/src/base/error-codes.ts";
import { metricTable } from "../packages/server/src/base/metric-table.ts";
import { describeConfig } from "../packages/server/src/config/config.ts";
import { referencePages } from "./reference-pages.ts";

describe("referencePages", () => {
  const pages = referencePages();

  test.each([
    ["errors.md", Object.keys(errorCodes)],
    ["metrics.md", Object.keys(metricTable)],
    ["config.md", describeConfig().flatMap(({ key, env }) => [key, env])],
  ])("%s names every row of its table", (name, rows) => {
    for (const row of rows) expect(pages[name]).toContain(`\`${row}\``);
  });

  test("cells never break the tables", () => {
    for (const name of ["errors.md", "metrics.md"]) {
      const tables = (pages[name] ?? "").split(/\n(?!\|)/).map((part) => part.split("\n").slice(1));
      for (const rows of tables.filter(({ length }) => length > 1)) {
        const widths = new Set(rows.map((row) => row.replaceAll("\\|", "").split("|").length));
        expect(widths.size).toBe(1);
      }
    }
  });
});
