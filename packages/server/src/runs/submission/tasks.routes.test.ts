import { afterEach, describe, expect, test } from "vitest";
import { startTestServer } from "../../http/test-server.ts";
import type { TestServer } from "../../http/test-server.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";
import { tasksRoutes } from "./tasks.routes.ts";

let world: World | undefined;
let server: TestServer | undefined;

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  await world?.close();
});

/** Longer than what is left in the body as it is. */
const large = Buffer.alloc(90_000, "large ").toString("base64");

const workflow = `version: 1
name: takes
inputs: { blob: { type: string }, contentBase64: { type: string, default: "" } }
steps: [{ id: w, wait: { signal: go } }]
`;

async function start() {
  world = await createWorld({ tools: [] });
  server = await startTestServer(
    tasksRoutes({
      submit: world.submitDeps,
      listExamples: () => Promise.resolve([]),
      loadExample: () => Promise.reject(new Error("there are none")),
      bodyLimitBytes: 10_000_000,
    }),
  );
  const { call } = server;
  return {
    world,
    post: async (body: object) => {
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify({ workflow, ...body }) };
      const answer = await call("/v1/tasks", init);
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
  };
}

describe("a large base64 text in a task", () => {
  test("is the input that was sent, whatever the input is called", async () => {
    const { world, post } = await start();
    const inputs = { blob: large, contentBase64: `${large}QUJD` };
    const { status, body } = await post({ inputs });
    expect(status).toBe(201);
    expect((await world.state(String(body["id"]))).inputs).toEqual(inputs);
  });

  test("is a file's content", async () => {
    const { world, post } = await start();
    const files = [{ path: "a.bin", contentBase64: large }];
    const { status, body } = await post({ files, inputs: { blob: "short" } });
    expect(status).toBe(201);
    const { workspace } = await world.state(String(body["id"]));
    const manifest = await world.submitDeps.workspaces.load(workspace);
    expect(manifest.files["a.bin"]).toMatchObject({ sizeBytes: 90_000 });
  });

  test("is too long for a label", async () => {
    const { post } = await start();
    const { status, body } = await post({ inputs: { blob: "short" }, labels: [large] });
    expect({ status, code: body["code"] }).toEqual({ status: 422, code: "REQUEST_INVALID" });
  });
});
