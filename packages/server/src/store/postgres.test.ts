import { afterAll, beforeAll, describe } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { LeaseStore } from "./lease.ts";
import { openPostgresStore } from "./postgres.ts";
import { describeStore } from "./store-contract.ts";
import { skipsPostgres, startTestPostgres } from "./test-postgres.fixture.ts";
import type { TestPostgres } from "./test-postgres.fixture.ts";

describe.skipIf(skipsPostgres())("on a real server", () => {
  let server: TestPostgres;
  let schemas = 0;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());

  describeStore("PostgreSQL", async () => {
    const url = await server.schema(`store_${(schemas += 1)}`);
    const opened: LeaseStore[] = [];
    return {
      async open(migrations) {
        const store = await openPostgresStore({
          url,
          migrations,
          clock: systemClock,
          logger: createSilentLogger(),
        });
        opened.push(store);
        return store;
      },
      async remove() {
        await Promise.all(opened.map((store) => store.close()));
      },
    };
  });
});
