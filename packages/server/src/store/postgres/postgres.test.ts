import { afterAll, beforeAll, describe, vi } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import type { LeaseStore } from "../lease.ts";
import { openPostgresStore } from "./postgres.ts";
import { describeStore } from "../store-contract.ts";
import { skipsPostgres, startTestPostgres } from "../test-postgres.fixture.ts";
import type { TestPostgres } from "../test-postgres.fixture.ts";
import type { ThreadProgram } from "../start-thread.ts";
import { startInSameThread } from "./test-same-thread.ts";
import type { StartThread } from "./test-same-thread.ts";

// In this thread the servers, the writer and the tests share one core.
vi.setConfig({ testTimeout: 60_000 });
const writing = vi.hoisted(() => ({ isHere: false }));
vi.mock("../start-thread.ts", async (importOriginal) => {
  const { startThread } = await importOriginal<{ startThread: StartThread }>();
  return {
    startThread: (program: ThreadProgram) =>
      writing.isHere ? startInSameThread(program, startThread) : startThread(program),
  };
});

describe.skipIf(skipsPostgres()).each(["a thread of its own", "this thread"])(
  "on a real server, written by %s",
  (place) => {
    let server: TestPostgres;
    let schemas = 0;
    beforeAll(async () => {
      writing.isHere = place === "this thread";
      server = await startTestPostgres();
    });
    afterAll(() => server.stop());

    describeStore(
      "PostgreSQL",
      async () => {
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
      },
      place !== "this thread",
    );
  },
);
