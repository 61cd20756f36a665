/** The runtime under its own supervisor: what the tree shows, and what happens when a part that cannot be renewed is gone. */
import { afterEach, expect, test } from "vitest";
import { createHome, removeHome, startTestSystem, token } from "./test-system.ts";
import type { TestSystem } from "./test-system.ts";

let home: string;
let system: TestSystem | undefined;
afterEach(async () => {
  await system?.stop();
  await removeHome(home);
});

interface Node {
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly health: { readonly kind: string };
  readonly children: readonly Node[];
}

test("the tree shows every part and each run being driven, and the stream tells admins of changes", async () => {
  home = await createHome();
  system = await startTestSystem(home);
  const { api, url } = system;
  const tree = async (): Promise<Node> => (await api.get<{ tree: Node }>("/v1/status")).tree;
  const names = (await tree()).children.map((child) => child.name);
  expect(names).toEqual(expect.arrayContaining(["store", "ledger", "policy", "http", "worker"]));
  const workflow = "version: 1\nname: long\nsteps: [{ id: a, tool: wait.for, with: { seconds: 30 } }]\n";
  const { id } = await api.post<{ id: string }>("/v1/tasks", { workflow });
  const runs = async (): Promise<readonly string[]> =>
    (await tree()).children.find((child) => child.name === "worker")!.children.map((child) => child.name);
  await expect.poll(runs).toEqual([id]);
  await api.post(`/v1/runs/${id}/cancel`, { reason: "enough" });
  await expect.poll(runs).toEqual([]);
  const ready = (await (await fetch(`${url}/readyz`)).json()) as {
    status: string;
    checks: { name: string }[];
  };
  expect(ready.status).toBe("ok");
  expect(ready.checks.map(({ name }) => name)).toContain("worker");
  const aborted = new AbortController();
  const stream = await fetch(`${url}/v1/stream`, {
    headers: { authorization: `Bearer ${token}` },
    signal: aborted.signal,
  });
  expect(stream.status).toBe(200);
  aborted.abort();
});
