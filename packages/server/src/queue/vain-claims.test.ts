import { describe, expect, test } from "vitest";
import { errorAfterVainClaims, pauseAfterCrashMs, pauseAfterFaultMs } from "./vain-claims.ts";

const claims = Array.from({ length: 20 }, (_, index) => index + 1);

describe("claims in vain", () => {
  test("each fault doubles the pause, from 5 s to 5 min", () => {
    expect(claims.map(pauseAfterFaultMs).slice(0, 8)).toEqual([
      5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000,
    ]);
  });

  test("two deaths of a process cost the run nothing, later ones about a minute at most", () => {
    expect(claims.map((count) => pauseAfterCrashMs(count, 0.5)).slice(0, 10)).toEqual([
      0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
  });

  test("pauses after a death differ by up to half of them, so that runs which died together part", () => {
    expect([0, 1].map((random) => pauseAfterCrashMs(5, random))).toEqual([2_000, 6_000]);
  });

  test("the run ends with the last fault and its hint once the claims are used up", () => {
    const fault = { code: "BLOB_DAMAGED", message: "A blob is gone", hint: "Restore it.", atMs: 1 };
    expect(errorAfterVainClaims({ claims: 3, fault }, 3)).toBeNull();
    expect(errorAfterVainClaims({ claims: 4, fault }, 3)).toEqual({
      code: "RUN_STUCK",
      message: "It was taken 3 times in a row without finishing a step: A blob is gone (BLOB_DAMAGED)",
      hint: "Restore it.",
    });
    expect(errorAfterVainClaims({ claims: 4, fault: null }, 3)?.message).toContain(
      "process that worked on it ended",
    );
  });
});
