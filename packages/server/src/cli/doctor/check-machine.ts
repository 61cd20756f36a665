/** What `doctor` says of this machine: Node.js, the sandbox, the built dashboard. */
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { createSandbox } from "../../sandbox/run-code.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { findInstallPlace } from "../server/install-place.ts";

/** The first version whose type stripping, SQLite and test runner the runtime is made for. */
const leastNode = 24;

/** `version` as `process.versions.node` gives it. Pure. */
export function judgeNode(version: string): Diagnosis {
  const detail = `Node.js ${version}`;
  if (Number.parseInt(version, 10) >= leastNode) return { name: "node", state: "ok", detail };
  const hint = `Install Node.js ${leastNode} or later, or run through npm, which uses the pinned one.`;
  return { name: "node", state: "failed", detail: `${detail} is too old`, hint };
}

export async function checkSandbox(): Promise<Diagnosis> {
  const sandbox = await createSandbox({ clock: systemClock, log: createSilentLogger(), mayInstall: false });
  const { level, languages, remedy, checks } = sandbox.report();
  const available = languages.filter((language) => language.available).map(({ id }) => id);
  const detail = `level ${level}; ${available.length === 0 ? "no languages" : available.join(", ")}`;
  if (level !== "none") return { name: "sandbox", state: "ok", detail };
  const why = checks.filter(({ ok }) => !ok).map((check) => `${check.name}: ${check.detail}`);
  return {
    name: "sandbox",
    state: "warning",
    detail: `${detail} (${why.join("; ")})`,
    ...(remedy === undefined ? {} : { hint: remedy }),
  };
}

export function checkDashboard(): Diagnosis {
  const { dashboardFolder, repository } = findInstallPlace();
  if (dashboardFolder !== undefined) return { name: "dashboard", state: "ok", detail: dashboardFolder };
  const detail =
    repository === undefined ? "missing from this package" : "not built yet; `homeostat up` builds it";
  return { name: "dashboard", state: repository === undefined ? "warning" : "ok", detail };
}
