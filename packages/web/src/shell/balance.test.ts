import { describe, expect, test } from "vitest";
import type { SystemStatus } from "../api/contract.ts";
import { readBalance } from "./balance.ts";

function status(fields: Partial<SystemStatus>): SystemStatus {
  return { parts: [], queue: { counts: {} }, ...fields } as SystemStatus;
}

describe("readBalance", () => {
  test("is steady when nothing asks for a person", () => {
    expect(readBalance(status({}), 0, "live")).toMatchObject({ text: "Steady", deviation: 0 });
    expect(readBalance(status({ queue: { counts: { RUNNING: 2 } } }), 0, "live").text).toBe(
      "Steady, 2 running",
    );
    expect(readBalance(undefined, 0, "connecting").text).toBe("Steady");
  });

  test("lets the gravest departure speak", () => {
    const all = status({
      parts: [
        { name: "sandbox", health: { kind: "degraded", detail: "no bubblewrap" } },
        { name: "ledger", health: { kind: "failed", detail: "disk full" } },
      ],
      queue: { counts: { DEAD: 1 } },
    });
    expect(readBalance(all, 3, "live")).toMatchObject({ text: "ledger failed", also: "1 dead letter" });
    expect(readBalance({ ...all, parts: [] }, 3, "live").text).toBe("1 dead letter");
    expect(readBalance(status({ parts: all.parts.slice(0, 1) }), 3, "live").text).toBe("3 wait for you");
    expect(readBalance(status({ parts: all.parts.slice(0, 1) }), 0, "live").text).toBe("sandbox degraded");
  });

  test("says first that it cannot see", () => {
    expect(readBalance(status({ queue: { counts: { DEAD: 1 } } }), 1, "offline").text).toBe(
      "Connection lost",
    );
  });

  test("never leaves the dial", () => {
    expect(readBalance(status({}), 400, "live").deviation).toBeLessThanOrEqual(1);
  });
});
