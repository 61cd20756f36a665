import { expect, test } from "vitest";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { findWrongTimes } from "./find-wrong-times.ts";

const workflow = (cron: string): string =>
  `version: 1\nname: w\ntriggers:\n  - name: night\n    cron: "${cron}"\nsteps:\n  - { id: a, set: { x: 1 } }\n`;

test.each(["61 * * * *", "* 24 * * *", "0 0 30 2 *", "0 0 31 4 *", "*/0 * * * *", "0 0 * * 9", "0 0 * 13 *"])(
  "the cron %j is told with its place",
  (cron) => {
    const [finding] = findWrongTimes(requireWorkflow(workflow(cron)));
    expect(finding).toMatchObject({ severity: "error", line: 4, path: "triggers[0].cron" });
    expect(finding?.message).toContain(`The cron ${cron} in UTC cannot be used`);
  },
);

test.each(["0 0 29 2 *", "30 2 * * *", "*/5 9-17 * * 1-5", "@daily", "0 0 1 1 *"])("%j is one", (cron) => {
  expect(findWrongTimes(requireWorkflow(workflow(cron)))).toEqual([]);
});
