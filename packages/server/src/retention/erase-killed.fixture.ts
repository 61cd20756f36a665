/** A process that dies in the middle of an erasure: after the rows were written, before or after the blobs' files went. */
import { eraseRun } from "./erasure.ts";
import { openRuns } from "./testing-runs.ts";

const [folder = "", runId = "", when = ""] = process.argv.slice(2);
const runs = await openRuns(folder);
const die = (): Promise<never> => {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
};
const deps = when === "before-blobs" ? { ...runs, blobs: { erase: die } } : { ...runs, removeWorkspace: die };
await eraseRun(deps, { runId, actor: { kind: "user", id: "admin" }, reason: null });
