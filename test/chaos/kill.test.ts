import { expect, test } from "vitest";
import { killRounds } from "./kill-rounds.ts";

const kills = 25;

test(
  `after ${kills} kills at random moments nothing is lost, doubled or broken`,
  { timeout: 400_000 },
  async () => {
    const seed = Number(process.env["HOMEOSTAT_TEST_SEED"] ?? Date.now() % 1_000_000);
    console.log(`seed ${seed}; replay with HOMEOSTAT_TEST_SEED=${seed}`);
    const result = await killRounds({ kills, seed, say: (line) => console.log(line) });
    console.log(JSON.stringify(result));
    expect(result.violations).toEqual([]);
    expect(result.runs).toBeGreaterThan(0);
  },
);
