/** `npm run chaos [-- SCENARIO...] [--scale N] [--seed N]`: breaks the runtime on purpose and says what did not hold. */
import { parseArgs } from "node:util";
import { postgresObstacle } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { redisObstacle } from "../../packages/server/src/store/test-redis.fixture.ts";
import { faultsObstacle } from "./fault-shim.ts";
import { runScenario } from "./scenario.ts";
import type { Need } from "./scenario.ts";
import { scenarios } from "./scenarios/list.ts";

const { values, positionals } = parseArgs({
  options: {
    scale: { type: "string", default: "8" },
    seed: { type: "string" },
    list: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const obstacles: Readonly<Record<Need, string | undefined>> = {
  compiler: faultsObstacle(),
  postgres: postgresObstacle(),
  redis: redisObstacle(),
};
const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (values.list || unknown.length > 0) {
  for (const name of unknown) console.error(`there is no scenario ${name}`);
  for (const { name, about } of scenarios) console.log(`${name.padEnd(20)} ${about}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}
const scale = Math.max(1, Number(values.scale) || 1);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
let failed = 0;
for (const scenario of scenarios) {
  const { name, needs } = scenario;
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const obstacle = needs.map((need) => obstacles[need]).find((each) => each !== undefined);
  if (obstacle !== undefined) {
    console.log(JSON.stringify({ name, skipped: obstacle }));
    continue;
  }
  console.error(`${name}: replay with npm run chaos -- ${name} --scale ${scale} --seed ${seed}`);
  const startedMs = performance.now();
  const result = await runScenario(scenario, {
    seed,
    scale,
    say: (line) => console.error(`  ${line}`),
  }).catch((error: unknown) => ({ figures: {}, violations: [`it broke off: ${String(error)}`] }));
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(
    JSON.stringify({ name, seed, scale, seconds, ...result.figures, violations: result.violations }),
  );
  if (result.violations.length > 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
