/** `npm run chaos [-- --kills 200 --seed N]`: the long form of the kill test, with its seed and figures printed. */
import { parseArgs } from "node:util";
import { killRounds } from "./kill-rounds.ts";

const { values } = parseArgs({
  options: { kills: { type: "string", default: "200" }, seed: { type: "string" } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const kills = Number(values.kills);
console.error(`seed ${seed}; replay with npm run chaos -- --kills ${kills} --seed ${seed}`);
const result = await killRounds({ kills, seed, say: (line) => console.error(line) });
console.log(JSON.stringify({ seed, ...result }, null, 2));
process.exitCode = result.violations.length === 0 ? 0 : 1;
