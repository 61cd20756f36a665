import { expect, test } from "vitest";
import { formatInZone, formatUntil, knownZones } from "./zone-time.ts";

const at = Date.parse("2026-11-23T08:00:00Z");

test("a moment is told by the wall clock of its zone, with seconds only where there are some", () => {
  expect(formatInZone(at, "Europe/Berlin")).toBe("Mon, 23 Nov 2026, 09:00");
  expect(formatInZone(at + 15_000, "Asia/Kolkata")).toBe("Mon, 23 Nov 2026, 13:30:15");
});

test("how long it is until then grows coarser with distance", () => {
  const until = (seconds: number): string => formatUntil(at + seconds * 1000, at);
  expect([-3, 40, 300, 3 * 3600, 80 * 3600].map(until)).toEqual([
    "any moment",
    "in 40 s",
    "in 5 min",
    "in 3 h",
    "in 3 d",
  ]);
});

test("UTC is a zone and stands first", () => {
  expect(knownZones()[0]).toBe("UTC");
  expect(new Set(knownZones()).size).toBe(knownZones().length);
});
