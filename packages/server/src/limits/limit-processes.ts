/** What every process of the database knows of limits, the answering one as of now and the others as they last told. */
import type { Clock } from "../base/clock.ts";
import type { Store } from "../store/store.ts";
import { nothingReported, reportAfter } from "./limit-report.ts";
import type { LimitReport } from "./limit-report.ts";
import { listReports } from "./report-rows.ts";

export interface LimitProcess {
  /** `processIdentity`. */
  readonly owner: string;
  /** As people see it. */
  readonly id: string;
  readonly role: "all" | "gateway" | "worker";
  readonly host: string;
  readonly pid: number;
  /** `silent`: not heard of for a while; what it told is old. */
  readonly state: "running" | "stopping" | "silent";
}

export interface ReportingProcess extends LimitProcess {
  readonly isAnswering: boolean;
  /** Null before it told anything, as one of an older version never does. */
  readonly reportedAtMs: number | null;
  readonly report: LimitReport;
}

export interface LimitProcessesDeps {
  readonly store: Pick<Store, "read">;
  readonly clock: Pick<Clock, "now">;
  /** The answering process. */
  readonly self: LimitProcess;
  readonly report: () => LimitReport;
  /** Those that live or may live; with or without `self`. */
  readonly listProcesses: () => Promise<readonly LimitProcess[]>;
}

/** The answering process first. */
export async function listLimitProcesses(deps: LimitProcessesDeps): Promise<readonly ReportingProcess[]> {
  const { self, store } = deps;
  const [processes, reports] = await Promise.all([deps.listProcesses(), listReports(store)]);
  const nowMs = deps.clock.now();
  const others = processes
    .filter(({ owner }) => owner !== self.owner)
    .map((each) => {
      const told = reports.find(({ process }) => process === each.owner);
      if (told === undefined)
        return { ...each, isAnswering: false, reportedAtMs: null, report: nothingReported };
      const report = reportAfter(told.report, { sinceMs: told.reportedAtMs, nowMs });
      return { ...each, isAnswering: false, reportedAtMs: told.reportedAtMs, report };
    });
  return [{ ...self, isAnswering: true, reportedAtMs: nowMs, report: deps.report() }, ...others];
}
