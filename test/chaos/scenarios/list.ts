/** Every chaos scenario by name. */
import type { Scenario } from "../scenario.ts";
import { boundaries, commitBoundaries } from "./boundaries.ts";
import { clockJumps, diskFull, slowSyncs } from "./clock-and-disk.ts";
import { kills } from "./kills.ts";
import { approvalRaces } from "./races.ts";
import { duplicateWakeups, postgresCuts, postgresRestarts, redisLoss } from "./servers.ts";
import { clusterStorm, sqliteStorm } from "./storms.ts";
import { aimedZombies, zombies } from "./zombies.ts";

export const scenarios: readonly Scenario[] = [
  kills,
  boundaries,
  commitBoundaries,
  zombies,
  aimedZombies,
  clockJumps,
  diskFull,
  slowSyncs,
  approvalRaces,
  postgresRestarts,
  postgresCuts,
  redisLoss,
  duplicateWakeups,
  sqliteStorm,
  clusterStorm,
];
