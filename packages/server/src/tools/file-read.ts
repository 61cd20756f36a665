/** `file_ops.read`: a file's content as text, JSON or base64, whole or a range. */
import { z } from "zod";
import type { JsonValue } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import { describeSize } from "./describe-size.ts";
import { openRegular, readBytes, readWhole } from "./file-contents.ts";
import { openParent } from "./open-folder.ts";
import type { FileAccess } from "./open-folder.ts";
import { parsePath, resolvePath, resourceOf } from "./paths.ts";
import { parseJson } from "./parse-json.ts";
import type { Tool } from "./tool.ts";

/** 1 MiB: what still makes sense inside a journal and a model's context. */
const defaultReadBytes = 1_048_576;
/** 16 MiB: base64 of it is still one string and one blob. */
const largestReadBytes: number = 16 * defaultReadBytes;

const args = z.strictObject({
  path: z.string().describe("File, relative to the workspace, or `root:relative/path`."),
  encoding: z
    .enum(["text", "json", "base64"])
    .default("text")
    .describe("`text` is UTF-8, `json` is parsed into a value, `base64` takes any bytes."),
  offset: z.int().min(0).default(0).describe("First byte to read."),
  length: z
    .int()
    .min(1)
    .max(largestReadBytes)
    .optional()
    .describe("Bytes to read. Without it the whole file is read and a larger one is refused."),
  maxBytes: z
    .int()
    .min(1)
    .max(largestReadBytes)
    .default(defaultReadBytes)
    .describe("Largest whole file that is read."),
});

export interface ReadArgs {
  readonly path: string;
  readonly encoding: "text" | "json" | "base64";
  readonly offset: number;
  readonly length?: number | undefined;
  readonly maxBytes: number;
}

export function createReadTool(deps: FileAccess): Tool<ReadArgs> {
  return {
    name: "file_ops.read",
    description: "Read a file as text, JSON or base64.",
    args,
    effect: "pure",
    files: "reads",
    risk: "low",
    argumentRoles: {
      path: "path",
      encoding: "option",
      offset: "option",
      length: "option",
      maxBytes: "option",
    },
    defaultTimeoutMs: 30_000,
    maxTimeoutMs: 600_000,
    async resolve(given, context) {
      requireSensibleRange(given);
      const path = await resolvePath(given.path, "read", { ...deps, roots: context.roots });
      return { resource: path.resource, args: { ...given, path: path.text }, summary: `read ${path.text}` };
    },
    async execute(resolved, context) {
      const given = args.parse(resolved.args);
      const path = parsePath(given.path, "read", context.roots);
      const what = resourceOf(path);
      const { folder, name } = await openParent(path, deps);
      try {
        const handle = await openRegular(folder, name, what);
        try {
          const { size } = await handle.stat();
          const bytes =
            given.length === undefined && given.offset === 0
              ? await readWhole(handle, `${what} (${describeSize(size)})`, given.maxBytes)
              : await readBytes(handle, given.offset, given.length ?? given.maxBytes);
          const output = {
            path: given.path,
            encoding: given.encoding,
            content: decode(bytes, given, what),
            offset: given.offset,
            bytesRead: bytes.length,
            sizeBytes: size,
          };
          return { output, labels: ["file"], touchedFiles: false };
        } finally {
          await handle.close();
        }
      } finally {
        await folder.close();
      }
    },
  };
}

function requireSensibleRange(given: ReadArgs): void {
  if (given.encoding !== "json" || (given.offset === 0 && given.length === undefined)) return;
  throw new HomeostatError("ACTION_INVALID", "A part of a file cannot be read as JSON", {
    offset: given.offset,
    length: given.length,
  });
}

function decode(bytes: Buffer, given: ReadArgs, what: string): JsonValue {
  if (given.encoding === "base64") return bytes.toString("base64");
  // A range may cut a character in two: its halves become U+FFFD. A whole file must be UTF-8.
  const isWhole = given.offset === 0 && given.length === undefined;
  const text = decodeUtf8(bytes, isWhole, what);
  if (given.encoding === "text") return text;
  try {
    return parseJson(text);
  } catch (error) {
    throw new HomeostatError(
      "FILE_INVALID",
      `${what} is not JSON: ${(error as SyntaxError).message}`,
      { file: what },
      { cause: error, hint: "Read it with `encoding: text`, or correct the file." },
    );
  }
}

function decodeUtf8(bytes: Buffer, isWhole: boolean, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: isWhole, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw new HomeostatError("FILE_INVALID", `${what} is not UTF-8 text`, { file: what }, { cause: error });
  }
}
