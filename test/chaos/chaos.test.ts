import { describe, expect, test } from "vitest";
import { skipsPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { skipsRedis } from "../../packages/server/src/store/test-redis.fixture.ts";
import { skipsFaults } from "./fault-shim.ts";
import { runScenario } from "./scenario.ts";
import type { Need } from "./scenario.ts";
import { scenarios } from "./scenarios/list.ts";

const skips: Readonly<Record<Need, boolean>> = {
  compiler: skipsFaults(),
  postgres: skipsPostgres(),
  redis: skipsRedis(),
};

// Two at a time (the project's bound): most of a scenario is waiting for leases, restarts and disks.
describe.concurrent.each(scenarios)("$about", (scenario) => {
  test.skipIf(scenario.needs.some((need) => skips[need]))(
    "nothing is lost, doubled or broken",
    { timeout: 400_000 },
    async () => {
      const seed = Number(process.env["HOMEOSTAT_TEST_SEED"] ?? Date.now() % 1_000_000);
      const say = (line: string): void => console.log(line);
      say(`replay with npm run chaos -- ${scenario.name} --scale 1 --seed ${seed}`);
      const result = await runScenario(scenario, { seed, scale: 1, say });
      say(JSON.stringify(result.figures));
      expect(result.violations).toEqual([]);
    },
  );
});
