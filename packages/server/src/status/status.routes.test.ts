import { expect, test } from "vitest";
import type { Principal } from "../http/access.ts";
import { statusRoutes } from "./status.routes.ts";
import type { StatusDeps } from "./status.routes.ts";

const node = {
  ...{ kind: "part", state: "running", restarts: 0, uptimeMs: 1, strategy: null, mailbox: null },
  ...{ health: { kind: "ok" } },
} as const;

const deps = {
  version: "1",
  home: "/home/of/everything",
  startedAtMs: 0,
  now: () => 1,
  tree: () => ({
    ...{ ...node, name: "homeostat", lastError: "of run_1" },
    children: [{ ...node, name: "run_1", lastError: null, children: [] }],
  }),
  sandbox: () => null,
  counts: (tenant?: string) => Promise.resolve({ QUEUED: tenant === "red" ? 1 : 9 }),
  ledger: () => Promise.resolve(null),
  policy: () => null,
  config: () => [],
  tools: () => [],
} as unknown as StatusDeps;

function status(tenant: string): unknown {
  const { handle } = statusRoutes(deps).find(({ operationId }) => operationId === "status.get")!;
  const principal: Principal = { id: "x", role: "viewer", tenant };
  return (handle as (request: object) => unknown)({ principal });
}

test("the tenant that runs the server sees the whole, another one its own counts", async () => {
  expect(await status("default")).toMatchObject({
    home: "/home/of/everything",
    queue: { counts: { QUEUED: 9 } },
    tree: { children: [{ name: "run_1" }] },
  });
  const other = await status("red");
  expect(other).toMatchObject({
    home: "",
    parts: [],
    queue: { counts: { QUEUED: 1 } },
    tree: { children: [] },
  });
  expect(JSON.stringify(other)).not.toContain("run_1");
});
