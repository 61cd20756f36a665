/** `npm test`: prepares the machine, builds the dashboard if it is stale, runs all tests; arguments go on to vitest. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildDashboardIfStale } from "./build-dashboard.ts";
import { prepareMachine, thisMachine } from "./prepare-machine.ts";

const repository = join(import.meta.dirname, "..");
const skipped = [process.env["HOMEOSTAT_TEST_SKIP"] ?? "", ...prepareMachine(thisMachine())].filter(
  (name) => name !== "",
);
const isBuilt = buildDashboardIfStale(repository);
if (!isBuilt) console.error("dashboard: the build failed; tests of the page will fail");

const vitest = join(repository, "node_modules/vitest/vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  cwd: repository,
  stdio: "inherit",
  // The pinned Node stands first, also for what tests start by the name `node`.
  env: {
    ...process.env,
    HOMEOSTAT_TEST_SKIP: skipped.join(","),
    PATH: `${join(repository, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
  },
});
process.exitCode = status ?? 1;
