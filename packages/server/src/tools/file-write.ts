/** `file_ops.write`: puts content into a file in one atomic step; running it twice changes nothing more. */
import { z } from "zod";
import type { JsonValue } from "../base/canonical-json.ts";
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import { describeSize } from "./describe-size.ts";
import { replaceFile } from "./file-contents.ts";
import { openParent } from "./open-folder.ts";
import type { FileAccess } from "./open-folder.ts";
import { parsePath, resolvePath, resourceOf } from "./paths.ts";
import type { Tool } from "./tool.ts";

/** 8 MiB: the content travels through journal and approval; larger files come from code_exec.run. */
const largestWriteBytes: number = 8 * 1024 * 1024;

const args = z.strictObject({
  path: z
    .string()
    .describe("File, relative to the workspace, or `root:relative/path`. Folders are made as needed."),
  content: z.json().describe("A string; with `encoding: json` any value."),
  encoding: z
    .enum(["text", "json", "base64"])
    .default("text")
    .describe("How `content` becomes bytes: UTF-8, indented JSON, or decoded base64."),
});

export interface WriteArgs {
  readonly path: string;
  readonly content: JsonValue;
  readonly encoding: "text" | "json" | "base64";
}

const resolvedArgs = args.extend({ sha256: z.string(), sizeBytes: z.int() });

export function createWriteTool(deps: FileAccess): Tool<WriteArgs> {
  return {
    name: "file_ops.write",
    description: "Write a file, replacing it whole if it exists.",
    args,
    effect: "idempotent",
    risk: "medium",
    argumentRoles: { path: "path", content: "body", encoding: "option" },
    defaultTimeoutMs: 30_000,
    maxTimeoutMs: 600_000,
    async resolve(given, context) {
      const bytes = encode(given);
      if (bytes.length > largestWriteBytes) {
        const told = `${describeSize(bytes.length)} for ${given.path} are more than ${largestWriteBytes} bytes`;
        throw new HomeostatError("FILE_TOO_LARGE", told, { path: given.path, limitBytes: largestWriteBytes });
      }
      const path = await resolvePath(given.path, "write", { ...deps, roots: context.roots });
      const digest = { sha256: sha256(bytes), sizeBytes: bytes.length };
      return {
        resource: path.resource,
        args: { ...given, path: path.text, ...digest },
        summary: `write ${path.text} (${describeSize(bytes.length)})`,
      };
    },
    async execute(resolved, context) {
      const given = resolvedArgs.parse(resolved.args);
      const path = parsePath(given.path, "write", context.roots);
      const { folder, name } = await openParent(path, { ...deps, create: true });
      try {
        context.signal.throwIfAborted();
        context.requireTime();
        const what = resourceOf(path);
        await replaceFile({
          folder,
          name,
          what,
          content: encode(given),
          idempotencyKey: context.idempotencyKey,
        });
      } finally {
        await folder.close();
      }
      const output = { path: given.path, sha256: given.sha256, sizeBytes: given.sizeBytes };
      return { output, labels: [], touchedFiles: true };
    },
  };
}

function encode(given: { readonly content: JsonValue; readonly encoding: WriteArgs["encoding"] }): Buffer {
  const { content, encoding } = given;
  if (encoding === "json") return Buffer.from(`${JSON.stringify(content, null, 2)}\n`);
  if (typeof content !== "string") {
    throw new HomeostatError(
      "ACTION_INVALID",
      `content must be a string with encoding ${encoding}`,
      { encoding },
      { hint: "Use `encoding: json` to write a value as JSON." },
    );
  }
  if (encoding === "text") return Buffer.from(content, "utf8");
  const bytes = Buffer.from(content, "base64");
  // Node skips what is not base64; comparing lengths finds it without building the text again.
  if (bytes.length !== Math.floor((content.replace(/=+$/, "").length * 3) / 4)) {
    throw new HomeostatError("ACTION_INVALID", "content is not base64", { encoding });
  }
  return bytes;
}
