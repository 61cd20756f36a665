import { expect, test } from "vitest";
import { spanText, timingText } from "./schedule-text.ts";

test("an interval is told in the units of the other pages, and what is none stays as it is written", () => {
  expect(["15m", "1h30m", "7d", "45s"].map(spanText)).toEqual(["15 min", "1 h 30 min", "7 d", "45 s"]);
  for (const other of ["500ms", "1.5h", "soon", ""]) expect(spanText(other)).toBe(other);
});

test("a schedule tells its times, and their zone", () => {
  expect(timingText({ cron: null, timezone: null, every: "15m" })).toBe("Every 15 min");
  expect(timingText({ cron: "30 7 * * 1-5", timezone: "America/New_York", every: null })).toBe(
    "At 07:30, Monday to Friday (America/New_York)",
  );
  expect(timingText({ cron: "no cron", timezone: null, every: null })).toBe("no cron (UTC)");
});
