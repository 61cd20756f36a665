/** Prints `N passed, N failed, N skipped` from vitest's JSON report; used by .ci/run as its last line. */
import { existsSync, readFileSync } from "node:fs";

interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const path = process.argv[2] ?? "";
if (!existsSync(path)) {
  console.log("0 passed, 0 failed, 0 skipped");
} else {
  const report = JSON.parse(readFileSync(path, "utf8")) as TestReport;
  // A file that fails as a whole (it does not load, a hook throws) counts as one failure.
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((result) => result.status === "failed"),
  ).length;
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(
    `${report.numPassedTests} passed, ${report.numFailedTests + brokenFiles} failed, ${skipped} skipped`,
  );
}
