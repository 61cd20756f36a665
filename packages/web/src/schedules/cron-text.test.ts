import fc from "fast-check";
import { expect, test } from "vitest";
import { describeCron } from "./cron-text.ts";
import { nextCronTimes, nextIntervalTimes, parseInterval } from "./cron-times.ts";

test.each([
  ["0 9 * * 1-5", "At 09:00, Monday to Friday"],
  ["30 2 * * *", "At 02:30"],
  ["0 9,17 * * mon,thu", "At 09:00 and 17:00, Monday and Thursday"],
  ["*/15 * * * *", "Every 15 minutes"],
  ["*/10 8-17 * * *", "Every 10 minutes from 08:00 to 17:59"],
  ["0 * * * *", "Every full hour"],
  ["5 */6 * * *", "Every 6 hours at minute 5"],
  ["0 9-17 * * *", "Every hour from 09:00 to 17:00"],
  ["0 0 1,15 * *", "At 00:00, on the 1st and 15th"],
  ["0 0 13 * 5", "At 00:00, on the 13th and on every Friday"],
  ["0 12 * 6-8 *", "At 12:00, every day in June to August"],
  ["15 30 6 * * *", "At 06:30:15"],
  ["* * * * *", "Every minute"],
  ["@weekly", "At 00:00, Sunday"],
])("%s reads %s", (expression, text) => {
  expect(describeCron(expression)).toBe(text);
});

test("what has no simple reading has none, rather than a wrong one", () => {
  for (const expression of [
    "0 0 L * *",
    "0 0 * * 1#2",
    "1-50/7 * * * *",
    "*/7 * * * *",
    "0 0 * * 1-",
    "61 * * * *",
    "* * *",
    "",
    "5-2 * * * *",
  ])
    expect(describeCron(expression)).toBeNull();
});

test("nothing that is typed makes it stumble", () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 30 }),
      fc.constantFrom("UTC", "Mars/Olympus"),
      (expression, timezone) => {
        describeCron(expression);
        expect(["times", "fault"]).toContain(nextCronTimes({ expression, timezone }, 0, 2).kind);
      },
    ),
    {
      numRuns: 300,
      examples: [
        ["__proto__", "UTC"],
        ["constructor", "UTC"],
      ],
    },
  );
});

test("the next times follow the wall clock of their zone", () => {
  const from = Date.parse("2026-03-06T00:00:00Z");
  const next = nextCronTimes({ expression: "0 9 * * 1-5", timezone: "America/New_York" }, from, 2);
  expect(next).toEqual({
    kind: "times",
    times: [Date.parse("2026-03-06T14:00:00Z"), Date.parse("2026-03-09T13:00:00Z")],
  });
});

test("an expression that cannot be used says why", () => {
  expect(nextCronTimes({ expression: "0 0 31 2 *", timezone: "UTC" }, 0, 1)).toEqual({
    kind: "fault",
    text: "It names no time that exists.",
  });
  expect(nextCronTimes({ expression: "61 * * * *", timezone: "UTC" }, 0, 1)).toMatchObject({ kind: "fault" });
});

test("intervals are read as the server reads them", () => {
  expect(["15m", "1h30m", "1.5s", "7d"].map(parseInterval)).toEqual([900_000, 5_400_000, 1_500, 604_800_000]);
  expect(["", "15", "m", "10ms", "1 h"].map(parseInterval)).toEqual([null, null, null, null, null]);
  expect(nextIntervalTimes(1_000, 5, 2)).toEqual([1_005, 2_005]);
});
