/** Which file names may come out of a sandbox. Pure; the names were chosen by the program inside. */

/** Bytes of one component and of a whole path that every Linux file system takes; depth against endless nesting. */
const maxComponentBytes = 255;
const maxPathBytes = 2048;
const maxDepth = 64;

/** Why `path` may not be used below an output folder, or undefined when it may: relative, `/`-separated, no tricks. */
export function findPathProblem(path: string): string | undefined {
  if (path === "") return "the name is empty";
  if (path.startsWith("/")) return "the path is absolute";
  if (Buffer.byteLength(path) > maxPathBytes) return `the path is longer than ${maxPathBytes} bytes`;
  if (path.includes("\uFFFD")) return "the name is not UTF-8";
  // Control characters in names forge lines of logs and terminals.
  if (/\p{Cc}/u.test(path)) return "the name has control characters";
  const components = path.split("/");
  if (components.length > maxDepth) return `the path is deeper than ${maxDepth} folders`;
  if (components.some((each) => each === "" || each === "." || each === ".."))
    return "the path has an empty, `.` or `..` component";
  if (components.some((each) => Buffer.byteLength(each) > maxComponentBytes))
    return `a name is longer than ${maxComponentBytes} bytes`;
  return undefined;
}
