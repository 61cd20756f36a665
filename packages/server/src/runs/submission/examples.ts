/** The examples shipped with Homeostat: folders with a workflow.yaml and the files it works on. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { HomeostatError } from "../../base/error.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import type { Workflow } from "../../workflows/workflow.ts";
import type { WorkspaceFile } from "../workspace/workspace.ts";

export interface Example {
  readonly text: string;
  readonly workflow: Workflow;
}

const workflowName = "workflow.yaml";

/** Examples whose workflow is valid, by name; an absent folder has none. */
export async function listExamples(folder: string): Promise<readonly Example[]> {
  const examples: Example[] = [];
  for (const name of await foldersIn(folder)) {
    const text = await readFile(join(folder, name, workflowName), "utf8").catch(() => undefined);
    const parsed = text === undefined ? undefined : parseWorkflow(text);
    if (text !== undefined && parsed?.ok === true) examples.push({ text, workflow: parsed.workflow });
  }
  return examples;
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** The workflow text and every file beside it, as a task takes them. Throws NOT_FOUND. */
export async function loadExample(
  folder: string,
  name: string,
): Promise<{ readonly workflow: string; readonly files: readonly WorkspaceFile[] }> {
  const names = await foldersIn(folder);
  if (!names.includes(name)) {
    throw new HomeostatError("NOT_FOUND", `There is no example ${name}; there are ${names.join(", ")}`, {
      name,
    });
  }
  const root = join(folder, name);
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  const files: WorkspaceFile[] = [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.push({ path: path.slice(root.length + 1).replaceAll("\\", "/"), content: await readFile(path) });
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { workflow: await readFile(join(root, workflowName), "utf8"), files };
}
