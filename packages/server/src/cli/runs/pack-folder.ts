/** Packs a folder as a task: its workflow.yaml and the files beside it, as relative paths with their content. */
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { HomeostatError } from "../../base/error.ts";
import { formatBytes } from "../terminal/format-time.ts";
import { readUserFile } from "../terminal/read-user-file.ts";

export interface PackedTask {
  readonly workflow: string;
  /** The workflow's path as the user knows it, for findings. */
  readonly workflowFile: string;
  readonly files: readonly { readonly path: string; readonly contentBase64: string }[];
  /** True when a folder's workflow.yaml was named itself: probably the folder was meant. */
  readonly leavesFolderBehind: boolean;
  /** Names left out on purpose. */
  readonly skipped: readonly string[];
}

/** The server takes no more. */
const maxFiles = 10_000;
const workflowNames = ["workflow.yaml", "workflow.yml"];
/** Never wanted in a run, and often huge. */
const skippedNames: ReadonlySet<string> = new Set([".git", "node_modules", ".DS_Store", "__pycache__"]);

/**
 * `path` is a workflow file (sent alone) or a folder that holds one. `limitBytes` bounds the request, base64 included. Throws
 * NOT_FOUND (no such path, no workflow in it) and USAGE (too much, a symlink that leads out, an odd file), naming the file.
 */
export async function packTask(path: string, limitBytes: number): Promise<PackedTask> {
  const found = await stat(path).catch((error: unknown) => {
    throw new HomeostatError(
      "NOT_FOUND",
      `There is no file or folder ${path}`,
      { path },
      {
        cause: error,
        hint: "Give a workflow file (.yaml) or a folder that holds workflow.yaml.",
      },
    );
  });
  if (!found.isDirectory()) return packFile(path);
  const root = await realpath(path);
  const workflowName = await findWorkflow(path);
  const skipped: string[] = [];
  const names = await listFiles(root, skipped);
  if (names.length > maxFiles) {
    throw new HomeostatError(
      "USAGE",
      `${path} holds ${names.length} files; a task takes ${maxFiles}`,
      { path },
      smaller,
    );
  }
  const files: { path: string; contentBase64: string }[] = [];
  let sizeBytes = 0;
  for (const name of names) {
    const contentBase64 = (await readUserFile(join(root, name))).toString("base64");
    // 40 bytes for the JSON around each file.
    sizeBytes += contentBase64.length + Buffer.byteLength(name) + 40;
    if (sizeBytes > limitBytes) {
      const limit = formatBytes(Math.floor((limitBytes * 3) / 4));
      throw new HomeostatError(
        "USAGE",
        `${path} holds more than ${limit} (counted up to ${name})`,
        { path },
        smaller,
      );
    }
    files.push({ path: name.replaceAll(sep, "/"), contentBase64 });
  }
  const workflowFile = join(path, workflowName);
  return {
    workflow: (await readUserFile(workflowFile)).toString("utf8"),
    workflowFile,
    files,
    leavesFolderBehind: false,
    skipped,
  };
}

const smaller = {
  hint: "Leave out what the run does not need, or grant the folder as a root in homeostat.yaml instead of sending it.",
};

async function packFile(path: string): Promise<PackedTask> {
  if (extname(path) !== ".yaml" && extname(path) !== ".yml") {
    throw new HomeostatError("USAGE", `${path} is not a workflow: its name does not end in .yaml`, { path });
  }
  return {
    workflow: (await readUserFile(path)).toString("utf8"),
    workflowFile: path,
    files: [],
    leavesFolderBehind: workflowNames.includes(basename(path)),
    skipped: [],
  };
}

async function findWorkflow(folder: string): Promise<string> {
  const names = await readdir(folder);
  const found = workflowNames.find((name) => names.includes(name));
  if (found !== undefined) return found;
  const others = names.filter((name) => /\.ya?ml$/.test(name));
  throw new HomeostatError(
    "NOT_FOUND",
    `${folder} holds no workflow.yaml`,
    { folder },
    {
      hint:
        others.length === 0
          ? "Write one; see docs/workflows.md."
          : `Name the file: homeostat run ${join(folder, others[0]!)}`,
    },
  );
}

/** Relative paths of all files below `root`, sorted, so that the same folder always makes the same task. */
async function listFiles(root: string, skipped: string[]): Promise<readonly string[]> {
  const files: string[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const name = join(folder, entry.name);
      if (skippedNames.has(entry.name)) skipped.push(name);
      else if (entry.isDirectory()) folders.push(name);
      else if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(root, name))))
        files.push(name);
      else throw new HomeostatError("USAGE", `${join(root, name)} is neither a file nor a folder`, { name });
    }
  }
  return files.sort();
}

/** A link to a file inside goes along as that file. A link that leads out would send what the user did not mean to send. */
async function leadsToFile(root: string, name: string): Promise<boolean> {
  const path = join(root, name);
  const target = await realpath(path).catch(() => undefined);
  const inside = target === undefined ? ".." : relative(root, target);
  const isInside = inside !== "" && inside.split(sep)[0] !== "..";
  if (target !== undefined && isInside && (await lstat(target)).isFile()) return true;
  const where =
    target === undefined ? "nowhere" : isInside ? "to a folder" : `out of the folder, to ${target}`;
  throw new HomeostatError(
    "USAGE",
    `${path} is a symbolic link that leads ${where}`,
    { path },
    {
      hint: `Put a copy of what is meant into ${basename(dirname(path))}, or remove the link.`,
    },
  );
}
