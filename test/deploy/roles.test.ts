/**
 * The processes of the Compose file and of the chart on this machine: each with a data folder of its own, of which only keys and
 * ledger are everybody's; the blobs in a bucket, so that a run's workspace goes on on another host.
 */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestS3 } from "../../packages/server/src/blobs/test-s3.fixture.ts";
import type { TestS3 } from "../../packages/server/src/blobs/test-s3.fixture.ts";
import { skipsPostgres, startTestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import type { TestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { startMember } from "../cluster/member-process.ts";
import type { Member, Role } from "../cluster/member-process.ts";

const token = `hst_${"d".repeat(43)}`;
const policy = 'version: 1\nrules:\n  - { name: all, action: "*", effect: allow }\n';
const large = "x".repeat(40_000);
const workflow = `version: 1
name: moving
steps:
  - { id: write, tool: file_ops.write, with: { path: deep/note.txt, content: "written by the first host ${large}" } }
  - { id: pause, wait: { for: 1500ms } }
  - { id: read, tool: file_ops.read, with: { path: deep/note.txt, length: 25 } }
  - { id: keep, tool: artifact.register, with: { path: deep/note.txt, title: A note } }
`;

describe.skipIf(skipsPostgres())("gateways and workers with data folders of their own", () => {
  let place: string;
  let server: TestPostgres;
  let s3: TestS3;
  let environment: Readonly<Record<string, string>>;
  const members: Member[] = [];
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "homeostat-deploy-"));
    server = await startTestPostgres();
    s3 = await startTestS3();
    for (const name of ["keys", "ledger", "earlier-ledgers"]) await mkdir(join(place, name), { mode: 0o700 });
    environment = {
      HOMEOSTAT_DATABASE_URL: await server.schema("deployed"),
      HOMEOSTAT_BLOBS_URL: await s3.bucket("homeostat"),
      HOMEOSTAT_BLOBS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      HOMEOSTAT_BLOBS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
      HOMEOSTAT_BLOBS_MASTER_KEY: "7".repeat(64),
      HOMEOSTAT_SECRETS_KEY: "passphrase",
      HOMEOSTAT_SECRETS_PASSPHRASE: "correct horse battery staple",
      HOMEOSTAT_TOKEN: token,
      HOMEOSTAT_SANDBOX_INSTALL: "never",
      HOMEOSTAT_LOG_FILE: "none",
      HOMEOSTAT_RUNS_LEASE_SECONDS: "5",
    };
  });
  afterAll(async () => {
    await Promise.all(members.map((member) => member.kill()));
    await s3.stop();
    await server.stop();
    await rm(place, { recursive: true, force: true });
  });

  /** A "host": what the pods' volumes are, as links. */
  async function startHost(name: string, role: Role, more: Record<string, string> = {}): Promise<Member> {
    const home = join(place, name);
    await mkdir(home, { mode: 0o700 });
    await writeFile(join(home, "policy.yaml"), policy);
    const shared = role === "worker" ? ["keys"] : ["keys", "ledger", "earlier-ledgers"];
    for (const folder of shared) await symlink(join(place, folder), join(home, folder));
    const member = await startMember({
      role,
      environment: { ...environment, HOME: home, HOMEOSTAT_HOME: home, ...more },
    });
    members.push(member);
    return member;
  }

  async function call<T>(gateway: Member, path: string, body?: unknown): Promise<T> {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${gateway.url}${path}`, init);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < 600; tries += 1) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(50);
    }
    throw new Error("it did not happen in time");
  }

  test("a run begun on one host ends on another with the files it had, and everything proves", async () => {
    const gateway = await startHost("gateway-1", "gateway");
    const first = await startHost("worker-1", "worker");
    const { id } = await call<{ id: string }>(gateway, "/v1/tasks", { workflow });
    await until(async () => {
      const run = await call<{ stepsDone: number }>(gateway, `/v1/runs/${id}`);
      return run.stepsDone >= 1 ? true : undefined;
    });
    await first.kill();
    const second = await startHost("worker-2", "worker");
    const run = await until(async () => {
      const found = await call<{ state: string; steps: { path: string; output: unknown }[] }>(
        gateway,
        `/v1/runs/${id}`,
      );
      return ["COMPLETED", "FAILED", "DEAD"].includes(found.state) ? found : undefined;
    });
    expect(run.state).toBe("COMPLETED");
    expect(JSON.stringify(run.steps.find(({ path }) => path === "read")?.output)).toContain(
      "written by the first host",
    );
    expect(await readdir(join(place, "worker-2/workspaces", id, "deep"))).toEqual(["note.txt"]);
    expect(await readdir(join(place, "gateway-1/workspaces"))).toEqual([]);

    const { data } = await call<{ data: { id: string }[] }>(gateway, `/v1/artifacts?run=${id}`);
    const other = await startHost("gateway-2", "gateway");
    const headers = { authorization: `Bearer ${token}` };
    const content = await fetch(`${other.url}/v1/artifacts/${data[0]!.id}/content`, { headers });
    expect((await content.text()).length).toBe(large.length + "written by the first host ".length);
    await until(async () =>
      (await call<{ pending: number }>(other, "/v1/ledger")).pending === 0 ? true : undefined,
    );
    expect(await call(other, "/v1/ledger/verify", {})).toMatchObject({ verdict: "intact", findings: [] });
    expect(await second.stop()).toBe(0);
  });

  test("a host with another master key does not start", async () => {
    const other = { HOMEOSTAT_BLOBS_MASTER_KEY: "8".repeat(64) };
    await expect(startHost("worker-3", "worker", other)).rejects.toThrow("BLOB_KEYS_UNUSABLE");
  });
});
