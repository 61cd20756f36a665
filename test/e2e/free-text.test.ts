import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHome, removeHome, startTestSystem, token, untilPublished } from "./test-system.ts";
import type { TestSystem } from "./test-system.ts";

/** What a person might paste into a reason; nothing of it may be found anywhere afterwards. */
const pasted = "ghp_Zx81QmTr7LwPv3KsYb60NdHcJf29AeGu54Xo";
const text = `the key was ${pasted}`;

let home: string;
let system: TestSystem;

beforeAll(async () => {
  home = await createHome();
  system = await startTestSystem(home);
});

afterAll(async () => {
  await removeHome(home);
});

async function call(method: string, path: string, body?: object) {
  const answer = await fetch(`${system.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

const asking = `version: 1
name: asking
inputs: { said: { type: string, default: "" } }
steps:
  - { id: sure, approval: { message: "Go on?" } }
  - { id: told, wait: { signal: word } }
`;

test("a key that somebody pastes into a reason, note, message, name or description is refused and kept nowhere", async () => {
  const { id: run } = await system.api.post<{ id: string }>("/v1/tasks", { workflow: asking });
  const questions = async () =>
    (await system.api.get<{ data: { id: string }[] }>("/v1/approvals")).data.map(({ id }) => id);
  await expect.poll(questions).toHaveLength(1);
  const [question] = await questions();
  const { revision, text: policy } = await system.api.get<{ revision: string; text: string }>("/v1/policy");
  const tries: readonly (readonly [string, string, object?])[] = [
    ["POST", `/v1/runs/${run}/cancel`, { reason: text }],
    ["POST", `/v1/runs/${run}/pause`, { reason: text }],
    ["POST", `/v1/runs/${run}/steer`, { message: text }],
    ["POST", `/v1/runs/${run}/signals/word`, { data: { said: text } }],
    ["POST", `/v1/runs/${run}/fork`, { inputs: { said: text } }],
    ["POST", `/v1/runs/${run}/fork`, { stepArguments: { told: { said: text } } }],
    ["POST", "/v1/runs/bulk", { action: "cancel", ids: [run], reason: text }],
    ["POST", "/v1/dead-letters/discard", { all: true, reason: text }],
    ["DELETE", `/v1/runs/${run}?reason=${encodeURIComponent(text)}`],
    ["POST", `/v1/approvals/${question!}/decision`, { answer: "reject", reason: text }],
    ["PUT", "/v1/policy", { text: `${policy}\n# more\n`, expected: revision, note: text }],
    ["PUT", "/v1/secrets/shop", { value: "s3cret-value", uses: [], description: text }],
    ["PUT", "/v1/secrets/shop", { value: "s3cret-value", uses: [], description: "it is s3cret-value" }],
    ["POST", "/v1/tasks", { workflow: asking, labels: [pasted] }],
    ["POST", "/v1/tasks", { workflow: `# ${text}\n${asking}` }],
    ["POST", "/v1/tasks", { workflow: asking, deduplication: { key: pasted } }],
    ["POST", "/v1/limits/breakers/reset", { target: pasted }],
    ["POST", "/v1/tasks", { workflow: asking, files: [{ path: pasted, contentBase64: "" }] }],
    ["POST", "/v1/schedules", { name: "nightly", cron: "0 3 * * *", workflow: `# ${text}\n${asking}` }],
  ];
  for (const [method, path, body] of tries) {
    const answer = await call(method, path, body);
    expect([method, path, answer.status], answer.text).toEqual([method, path, 422]);
    expect(answer.text).toContain("REQUEST_INVALID");
    expect(answer.text).not.toContain(pasted);
  }
  // The run was touched by none of it.
  expect((await call("POST", `/v1/runs/${run}/cancel`, { reason: "wrong folder" })).status).toBe(200);
  await expect.poll(async () => (await system.api.get<{ state: string }>(`/v1/runs/${run}`)).state).toBe("CANCELLED");
  await untilPublished(system);
  await system.stop();
  const found: string[] = [];
  for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path)).includes(pasted)) found.push(path);
  }
  expect(found).toEqual([]);
}); // prettier-ignore
