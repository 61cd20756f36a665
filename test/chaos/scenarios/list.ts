/** Every chaos scenario by name. */
import type { Scenario } from "../scenario.ts";
import { boundaries, commitBoundaries } from "./boundaries.ts";
import { clockJumps, diskFull, slowSyncs } from "./clock-and-disk.ts";
import { kills } from "./kills.ts";
import { approvalRaces } from "./races.ts";
import { duplicateWakeups, postgresCuts, postgresRestarts, redisLoss } from "./servers.ts";
import { clusterStorm, sqliteStorm } from "./storms.ts";
import { zombieBeforeAct, zombieInCommit, zombieInPostgresCommit, zombieInTool, zombies } from "./zombies.ts";

export const scenarios: readonly Scenario[] = [
  kills,
  boundaries,
  commitBoundaries,
  zombies,
  zombieInTool,
  zombieBeforeAct,
  zombieInCommit,
  zombieInPostgresCommit,
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
