/** Finds triggers of a workflow that no clock ever reaches, so that they are told before the workflow is registered. Pure. */
import { isHomeostatError } from "../../base/error.ts";
import type { Finding } from "../../base/finding.ts";
import { createTimes } from "../../queue/schedule-times.ts";
import type { Workflow } from "../../workflows/workflow.ts";

/** One finding for each cron that cannot be read, such as minute 61, or that names no time, such as 30 February. */
export function findWrongTimes({ triggers }: Workflow): readonly Finding[] {
  return triggers.flatMap((trigger): readonly Finding[] => {
    if (trigger.kind !== "cron") return [];
    const { expression, timezone, place } = trigger;
    const path = `${place.path}.cron`;
    try {
      createTimes({ kind: "cron", expression, timezone }, 0);
      return [];
    } catch (error) {
      if (!isHomeostatError(error, "SCHEDULE_INVALID")) throw error;
      const hint = 'five fields: minute hour day month weekday, for example "0 9 * * 1-5"';
      return [
        { severity: "error", line: place.line, column: place.column, path, message: error.message, hint },
      ];
    }
  });
}
