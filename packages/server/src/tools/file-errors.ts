/** Turns what the operating system says about a file into an error with a code and a remedy. */
import { HomeostatError } from "../base/error.ts";

/**
 * `doing` reads like "read workspace/a.txt". What the system did not say (our own errors, the reason of an abort) passes
 * unchanged. Worth a retry: a full disk, too many open files.
 */
export function fileError(error: unknown, doing: string): unknown {
  if (!(error instanceof Error) || !("errno" in error)) return error;
  const { code = "" } = error as NodeJS.ErrnoException;
  const fail = (
    ours: "FILE_NOT_FOUND" | "FILE_EXISTS" | "FILE_UNAVAILABLE" | "ACTION_INVALID",
    why: string,
    transient = false,
  ): HomeostatError =>
    new HomeostatError(ours, `Could not ${doing}: ${why}`, { errno: code, transient }, { cause: error });
  switch (code) {
    case "ENOENT":
      return fail("FILE_NOT_FOUND", "it does not exist");
    case "EEXIST":
      return fail("FILE_EXISTS", "it exists already");
    case "ELOOP":
      return fail("ACTION_INVALID", "there is a symbolic link in its path");
    case "ENOTDIR":
      return fail("ACTION_INVALID", "a part of its path is not a folder");
    case "EISDIR":
      return fail("ACTION_INVALID", "it is a folder");
    case "ENXIO":
      return fail("ACTION_INVALID", "it is a device, pipe or socket");
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return fail("FILE_UNAVAILABLE", `the system does not permit it (${code})`);
    case "ENOSPC":
    case "EDQUOT":
      return fail("FILE_UNAVAILABLE", `the disk is full (${code})`, true);
    case "EMFILE":
    case "ENFILE":
      return fail("FILE_UNAVAILABLE", `too many files are open (${code})`, true);
    default:
      return fail("FILE_UNAVAILABLE", error.message);
  }
}
