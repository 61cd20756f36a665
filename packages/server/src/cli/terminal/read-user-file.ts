/** Reads a file that the user named, and says in plain words what is wrong with it. */
import { readFile } from "node:fs/promises";
import { HomeostatError, errorMessage } from "../../base/error.ts";

/** Throws NOT_FOUND when it is not there, USAGE when it cannot be read as a file. */
export async function readUserFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new HomeostatError(
        "NOT_FOUND",
        `There is no file ${path}`,
        { path },
        {
          cause: error,
          hint: "Check the name; it is looked for from the folder you are in.",
        },
      );
    }
    const why =
      code === "EISDIR"
        ? "is a folder"
        : code === "EACCES"
          ? "may not be read by this user"
          : errorMessage(error);
    throw new HomeostatError(
      "USAGE",
      `${path} ${why}`,
      { path },
      { cause: error, hint: "Name a file that can be read." },
    );
  }
}
