/** Tests of the parts beside their code, then tests of the whole, one file at a time. */
import { defineConfig } from "vitest/config";

const exclude = ["**/node_modules/**", "**/dist/**"];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "parts",
          include: [
            "packages/**/src/**/*.test.{ts,tsx}",
            "packages/web/dev/**/*.test.ts",
            "scripts/**/*.test.ts",
            "tools/**/*.test.ts",
          ],
          exclude,
          // Two cores, and the tests start real servers, sandboxes and browsers: generous limits, no hidden retries.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "whole",
          include: ["test/**/*.test.ts"],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file starts a whole runtime and judges its timing: side by side they would disturb one another.
          fileParallelism: false,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
