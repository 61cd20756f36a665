/** A program to be run: written into the step or lying in the workspace; judged and run by the digest of its text. */
import { z } from "zod";
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import type { LanguageId } from "../sandbox/sandbox.ts";
import { openRegular, readWhole } from "./file-contents.ts";
import { openParent } from "./open-folder.ts";
import type { FileAccess } from "./open-folder.ts";
import { parsePath, resolvePath, resourceOf } from "./paths.ts";
import type { Root } from "./tool.ts";

/** Exactly one of `source` and `file`. */
export interface Program {
  readonly language: LanguageId;
  readonly source?: string | undefined;
  readonly file?: string | undefined;
}

/** As `Program` with the real place of the file, and the digest that is approved and checked again before running. */
export interface ResolvedProgram extends Program {
  readonly sha256: string;
}

/** 1 MiB: a program, not its data. */
const largestProgramBytes = 1_048_576;

export const languageSchema: z.ZodType<LanguageId> = z
  .enum(["python", "javascript", "typescript", "bash"])
  .describe("What the program is written in.");
export const sourceSchema: z.ZodOptional<z.ZodString> = z
  .string()
  .min(1)
  .optional()
  .describe("The program's text.");
export const fileSchema: z.ZodOptional<z.ZodString> = z
  .string()
  .optional()
  .describe("A file that holds the program, instead of `source`.");

export const programSchema: z.ZodType<Program> = z.strictObject({
  language: languageSchema,
  source: sourceSchema,
  file: fileSchema,
});

export const resolvedProgramSchema: z.ZodType<ResolvedProgram> = z.strictObject({
  language: languageSchema,
  source: sourceSchema,
  file: fileSchema,
  sha256: z.string(),
});

/** A program and the text that was judged. */
export interface ReadProgram {
  readonly program: ResolvedProgram;
  readonly text: string;
}

/** Throws ACTION_INVALID unless exactly one of `source` and `file` is given, FILE_* when the file cannot be read as text. */
export async function resolveProgram(
  program: Program,
  deps: FileAccess,
  roots: readonly Root[],
): Promise<ReadProgram> {
  const { language, source, file } = program;
  if ((source === undefined) === (file === undefined)) {
    throw new HomeostatError(
      "ACTION_INVALID",
      `Give either \`source\` or \`file\` of the ${language} program`,
      {
        language,
      },
    );
  }
  if (file === undefined) return { program: { language, source, sha256: sha256(source!) }, text: source! };
  const path = await resolvePath(file, "read", { ...deps, roots });
  const text = await readProgram(path.text, deps, roots);
  return { program: { language, file: path.text, sha256: sha256(text) }, text };
}

/** The text to run. Throws FILE_CHANGED when the file is not the one that was judged. */
export async function loadProgram(
  program: ResolvedProgram,
  deps: FileAccess,
  roots: readonly Root[],
): Promise<string> {
  if (program.file === undefined) return program.source!;
  const text = await readProgram(program.file, deps, roots);
  if (sha256(text) === program.sha256) return text;
  throw new HomeostatError("FILE_CHANGED", `${program.file} changed since it was judged and was not run`, {
    file: program.file,
    expected: program.sha256,
  });
}

async function readProgram(file: string, deps: FileAccess, roots: readonly Root[]): Promise<string> {
  const path = parsePath(file, "read", roots);
  const what = resourceOf(path);
  const { folder, name } = await openParent(path, deps);
  try {
    const handle = await openRegular(folder, name, what);
    try {
      const bytes = await readWhole(handle, what, largestProgramBytes);
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const told = `${what} is not UTF-8 text and cannot be a program`;
      throw new HomeostatError("FILE_INVALID", told, { file: what }, { cause: error });
    } finally {
      await handle.close();
    }
  } finally {
    await folder.close();
  }
}
