import { expect, test } from "vitest";
import { newFields, previewTimes, readFields } from "./schedule-form.ts";

const now = Date.parse("2026-11-20T12:00:00Z");
const fields = { ...newFields("Europe/Berlin", "brand-audit"), name: "nightly", cron: "0 2 * * *" };

test("whole fields become what the server takes, with the cron or the interval and not both", () => {
  const { settings, faults } = readFields(fields, {}, now);
  expect(faults).toEqual([]);
  expect(settings).toEqual({
    ...{ cron: "0 2 * * *", timezone: "Europe/Berlin", workflowName: "brand-audit" },
    ...{ inputs: {}, priority: "normal", missed: "once", overlap: "allow" },
  });
  const every = readFields({ ...fields, timing: "every", every: "15m", missed: "all" }, {}, now);
  expect(every.settings).toMatchObject({ every: "15m", missedCap: 24 });
  expect(every.settings.cron).toBeUndefined();
});

test("what is missing is said, all at once", () => {
  const empty = {
    ...fields,
    name: "",
    cron: "61 * * * *",
    source: "text",
    missed: "all",
    missedCap: "0",
  } as const;
  expect(readFields(empty, {}, now).faults).toHaveLength(4);
});

test("inputs that are needed are asked for", () => {
  const { problems } = readFields(fields, { folder: { type: "string" } }, now);
  expect(Object.keys(problems)).toEqual(["folder"]);
});

test("the preview of an interval counts from now", () => {
  expect(previewTimes({ ...fields, timing: "every", every: "90s" }, now, 2)).toEqual({
    kind: "times",
    times: [now + 90_000, now + 180_000],
  });
  expect(previewTimes({ ...fields, timing: "every", every: "often" }, now, 2).kind).toBe("fault");
});
