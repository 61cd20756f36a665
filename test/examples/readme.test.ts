import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseWorkflow } from "../../packages/server/src/workflows/workflow-file.ts";
import { createHome, removeHome, runToEnd, startTestSystem } from "../e2e/test-system.ts";

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const workflows = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);

test("every workflow of the README is one", () => {
  expect(workflows).not.toEqual([]);
  for (const text of workflows) expect(parseWorkflow(text)).toMatchObject({ ok: true, warnings: [] });
});

test("the README's two commands are the scripts there are", () => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  for (const [, name] of readme.matchAll(/npm (?:run )?(start|test|chaos|bench)\b/g))
    expect(scripts).toHaveProperty(name!);
});

test.skipIf((process.env["HOMEOSTAT_TEST_SKIP"] ?? "").includes("sandbox"))(
  "the README's workflow does what it says",
  { timeout: 30_000 },
  async () => {
    const home = await createHome();
    const system = await startTestSystem(home);
    try {
      const run = await runToEnd(system, { workflow: workflows[0], inputs: { who: "you" } });
      expect(run).toMatchObject({ state: "COMPLETED", outputs: { greeting: "hello you\n" } });
    } finally {
      await system.stop();
      await removeHome(home);
    }
  },
);
