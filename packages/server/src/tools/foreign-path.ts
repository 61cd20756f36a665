/** Which paths in a program lie outside the folders it has for itself. Pure: nothing is looked up. */

/** Absolute or climbing out, and neither a folder a program has for itself nor a device that keeps nothing. */
export function isForeign(path: string): boolean {
  if (/^\/dev\/(?:null|zero|stdin|stdout|stderr|tty|fd\/\d+)$/.test(path)) return false;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  let depth = 0;
  for (const part of parts) if ((depth += part === ".." ? -1 : 1) < 0) return true;
  if (!path.startsWith("/")) return false;
  const isOwn = (parts[0] === "tmp" || parts[0] === "box") && parts.length > 1;
  return !isOwn || parts.includes("..");
}
