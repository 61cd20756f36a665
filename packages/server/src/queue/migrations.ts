/** What makes the queue's tables, in order; they stand beside the leases'. */
import type { Migration } from "../store/store.ts";
import { claimsMigration } from "./claim-columns.ts";
import { runKeysMigration } from "./deduplicate.ts";
import { runIndexesMigration, runPlacesMigration } from "./run-indexes.ts";
import { runChangesMigration, runsMigration } from "./run-row.ts";
import { schedulesMigration } from "./schedule-row.ts";
import { workersMigration } from "./worker-registry.ts";

export const queueMigrations: readonly Migration[] = [
  runsMigration,
  workersMigration,
  runChangesMigration,
  claimsMigration,
  runIndexesMigration,
  runPlacesMigration,
  runKeysMigration,
  schedulesMigration,
];
