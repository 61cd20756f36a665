/** What every store must do, as tests: each implementation runs them against itself. */
import { afterEach, beforeEach, describe } from "vitest";
import { describeBatches, describeValues } from "./batch-contract.ts";
import { thingMigration } from "./test-things.ts";
import { describeLeases } from "./lease-contract.ts";
import type { LeaseStore } from "./lease.ts";
import { leaseMigration } from "./lease.ts";
import { describeLifetime, describeListeners, describeScan, describeUpgrade } from "./read-contract.ts";
import type { Migration } from "./store.ts";

/** One database made for one test. */
export interface DatabaseUnderTest {
  /** A store on it; called again, another one on the same database, as a second process would open. */
  open(migrations: readonly Migration[]): Promise<LeaseStore>;
  /** Closes all stores and removes the database. */
  remove(): Promise<void>;
}

const migrations = [thingMigration, leaseMigration];
const widerThingMigration: Migration = {
  id: "9999-wider-thing",
  statements: () => ["ALTER TABLE thing ADD COLUMN colour TEXT"],
};

/** `hasOwnThread`: false where the writer shares the test's thread, and a busy one keeps leases from being renewed. */
export function describeStore(
  name: string,
  create: () => Promise<DatabaseUnderTest>,
  hasOwnThread = true,
): void {
  describe(`${name} as a store`, () => {
    let database: DatabaseUnderTest;
    let store: LeaseStore;
    beforeEach(async () => {
      database = await create();
      store = await database.open(migrations);
    });
    afterEach(() => database.remove());
    const again = (): Promise<LeaseStore> => database.open(migrations);

    describeValues(() => store);
    describeBatches(() => store);
    describeScan(() => store);
    describeListeners(() => store, again);
    describeLifetime(() => store, again);
    describeLeases(() => store, again, hasOwnThread);
    describeUpgrade(
      () => store,
      () => database.open([...migrations, widerThingMigration]),
    );
  });
}
