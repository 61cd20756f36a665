import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createHome, removeHome, runToEnd, startTestSystem, token, untilPublished } from "./test-system.ts";

/** Shaped like real secrets, so that the redactor must know them by their form. */
const canaries = {
  aws: "AKIAQ7CANARYB4RD5ZXT",
  github: "ghp_c4n4ryC4n4ryC4n4ryC4n4ryC4n4ry1234ab",
  bearer: "sk-ant-api03-cAnArYcAnArYcAnArYcAnArYcAnArYcAnArY-abcdefghijk",
};

async function startLeakyServer(): Promise<number> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ note: `use ${canaries.github}`, password: canaries.bearer }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test(
  "a secret that a tool sees is in no file of the data folder afterwards",
  { timeout: 60_000 },
  async () => {
    const home = await createHome();
    const outside = await createHome();
    onTestFinished(async () => {
      await removeHome(home);
      await removeHome(outside);
    });
    await writeFile(
      join(outside, "env"),
      `AWS_ACCESS_KEY_ID=${canaries.aws}\nAPI_TOKEN=${canaries.bearer}\n`,
    );
    const port = await startLeakyServer();
    const place = `127.0.0.1:${port}`;
    await mkdir(home, { recursive: true });
    await writeFile(join(home, "homeostat.yaml"), `roots:\n  outside: { path: ${outside}, mode: read }\n`);
    await writeFile(
      join(home, "policy.yaml"),
      `version: 1\nrules:\n  - { name: all, action: "*", effect: allow }\n`,
    );
    const system = await startTestSystem(home, {
      HOMEOSTAT_TOOLS_ALLOWED_HOSTS: place,
      HOMEOSTAT_TOOLS_ALLOW_PRIVATE: place,
      HOMEOSTAT_LOG_LEVEL: "debug",
    });
    const steps = `
  - { id: file, tool: file_ops.read, with: { path: "outside:env" } }
  - { id: web, tool: http.get, with: { url: "http://${place}/x" } }
  - id: code
    tool: code_exec.run
    with: { language: javascript, source: "console.log('${canaries.aws.slice(0, 10)}' + '${canaries.aws.slice(10)}')" }
`;
    const run = await runToEnd(system, { workflow: `version: 1\nname: leaky\nsteps:${steps}` });
    expect(run).toMatchObject({ state: "COMPLETED" });
    const detail = JSON.stringify(await system.api.get(`/v1/runs/${run.id}`));
    expect(detail).toContain("REDACTED");
    for (const canary of Object.values(canaries)) expect(detail).not.toContain(canary);
    await expect(
      system.api.post("/v1/tasks", {
        workflow: `version: 1\nname: w\nsteps:\n  - { id: a, set: { x: "${canaries.github}" } }\n`,
      }),
    ).rejects.toThrow(/secret/);
    await untilPublished(system);
    await system.stop();
    const entries = await readdir(home, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((each) => each.isFile() && each.name !== "token")) {
      const bytes = await readFile(join(entry.parentPath, entry.name), "latin1");
      for (const secret of [...Object.values(canaries), token]) {
        expect([entry.name, bytes.includes(secret)]).toEqual([entry.name, false]);
      }
    }
  },
);
