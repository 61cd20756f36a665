/** The main job on PostgreSQL through a real server process: audit with approval, then everything the API and CLI tell of it. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { skipsPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { createCluster, databasePassword } from "../cluster/cluster.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { repository } from "../cluster/member-process.ts";
import type { Member } from "../cluster/member-process.ts";

const policy = `version: 1
rules:
  - { name: everything, action: "*", effect: allow }
  - { name: deleting asks, action: file_ops.delete, effect: ask }
`;

interface Run {
  readonly id: string;
  readonly state: string;
  readonly error: unknown;
}
interface Page<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}
interface Approval {
  readonly id: string;
  readonly runId: string;
  readonly status: string;
}

describe.skipIf(skipsPostgres())("a server on PostgreSQL", () => {
  let cluster: Cluster;
  let server: Member;
  beforeAll(async () => {
    cluster = await createCluster({ database: "postgres", policy });
    server = await cluster.start("all");
  });
  afterAll(() => cluster.stop());

  function cli(...args: readonly string[]): {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
  } {
    const program = join(repository, "packages/server/homeostat.js");
    return spawnSync(process.execPath, [program, ...args], {
      env: { PATH: process.env["PATH"] ?? "", ...cluster.environment },
      encoding: "utf8",
    });
  }

  async function untilState(id: string, ...states: readonly string[]): Promise<Run> {
    for (;;) {
      const run = await cluster.call<Run>("GET", `/v1/runs/${id}`);
      if (states.includes(run.state)) return run;
      if (["COMPLETED", "FAILED", "DEAD"].includes(run.state)) throw new Error(JSON.stringify(run));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The names of events until `end`. */
  async function readStream(id: string): Promise<readonly string[]> {
    const headers = { authorization: `Bearer ${cluster.token}` };
    const answer = await fetch(`${server.url}/v1/runs/${id}/stream`, { headers });
    const text = await answer.text();
    return [...text.matchAll(/^event: (.+)$/gm)].map((match) => match[1]!);
  }

  test("audits with an approval; the answer is taken once, the stream ends, and verify says intact", async () => {
    const task = { body: { example: "brand-audit" }, key: "first" };
    const { id } = await cluster.call<Run>("POST", "/v1/tasks", task);
    expect((await cluster.call<Run>("POST", "/v1/tasks", task)).id).toBe(id);
    const stream = readStream(id);
    await untilState(id, "WAITING");
    const waiting = await cluster.call<Page<Approval>>("GET", "/v1/approvals?limit=1");
    expect(waiting.data[0]).toMatchObject({ runId: id, status: "waiting" });
    const decision = `/v1/approvals/${waiting.data[0]!.id}/decision`;
    await cluster.call("POST", decision, { body: { answer: "approve" }, key: "yes" });
    await expect(cluster.call("POST", decision, { body: { answer: "approve" } })).rejects.toThrow("409");
    await untilState(id, "COMPLETED");
    expect((await stream).at(-1)).toBe("end");
    const artifacts = await cluster.call<Page<{ readonly id: string }>>("GET", `/v1/artifacts?run=${id}`);
    expect(artifacts.data.length).toBeGreaterThan(0);
    const content = await fetch(`${server.url}/v1/artifacts/${artifacts.data[0]!.id}/content`, {
      headers: { authorization: `Bearer ${cluster.token}` },
    });
    expect(content.status).toBe(200);
    const report = await cluster.call<{ readonly verdict: string }>("POST", "/v1/ledger/verify", {
      body: {},
    });
    expect(report.verdict).toBe("intact");
    const one = cli("verify", "--run", id, "--json");
    expect(one.stdout + one.stderr).toContain('"verdict": "intact"');
  });

  test("lists page by page in the same order as they were asked", async () => {
    const made = [];
    for (let index = 0; index < 3; index += 1) {
      const body = { workflow: "version: 1\nname: two\nsteps: [{ id: a, approval: { message: sure } }]\n" };
      made.push((await cluster.call<Run>("POST", "/v1/tasks", { body, key: `page-${index}` })).id);
    }
    for (const id of made) await untilState(id, "WAITING");
    const seen: Approval[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: Page<Approval> = await cluster.call(
        "GET",
        `/v1/approvals?limit=2${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...page.data);
      cursor = page.nextCursor;
    }
    expect(seen.map(({ runId }) => runId).toSorted()).toEqual(made.toSorted());
    const all = await cluster.call<Page<Run>>("GET", "/v1/runs?state=WAITING&limit=2");
    expect(all.data).toHaveLength(2);
    expect(all.nextCursor).not.toBeNull();
    for (const id of made)
      await cluster.call("POST", `/v1/runs/${id}/cancel`, { body: { reason: "enough" } });
    for (const id of made) await untilState(id, "CANCELLED");
    const answered = await cluster.call<Page<Approval>>("GET", "/v1/approvals?status=all");
    expect(answered.data.filter(({ status }) => status === "cancelled")).toHaveLength(3);
  });

  test("signs in and out", async () => {
    const login = await fetch(`${server.url}/v1/session`, {
      method: "POST",
      headers: { authorization: `Bearer ${cluster.token}` },
    });
    expect(login.status).toBeLessThan(300);
    const cookie = login.headers.get("set-cookie")!.split(";")[0]!;
    const status = await fetch(`${server.url}/v1/status`, { headers: { cookie } });
    expect(status.status).toBe(200);
    await fetch(`${server.url}/v1/session`, { method: "DELETE", headers: { cookie, origin: server.url } });
    expect((await fetch(`${server.url}/v1/status`, { headers: { cookie } })).status).toBe(401);
  });

  test("the commands work, and no command or log shows the database's password", async () => {
    for (const command of ["ps --all", "doctor", "config print", "approvals --all"]) {
      const { status, stdout, stderr } = cli(...command.split(" "));
      expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: "" });
      expect(stdout).not.toContain(databasePassword);
    }
    expect(cli("doctor").stdout).toMatch(/ok +database +homeostat@.*runs/);
    expect(await server.stop()).toBe(0);
    const whole = cli("verify");
    expect(whole.stdout).toContain("ledger: intact");
    expect(whole.status).toBe(0);
    const log = await readFile(join(cluster.home, "logs/homeostat.log"), "utf8");
    expect(log + server.said()).not.toContain(databasePassword);
  });
});
