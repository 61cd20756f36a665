/** Keeps the policy of this process at the newest version in the database, which several machines share. */
import type { Clock } from "../../base/clock.ts";
import { parsePolicyFiles, requireGood } from "../file/policy-file.ts";
import type { PolicyText } from "../file/policy-file.ts";
import type { Candidate, Holder } from "./policy-holder.ts";
import type { PolicyVersions } from "./versions.ts";

export interface Follower {
  /**
   * At the start: puts the newest version in force and says so, unless the files hold something that was never in force. That is
   * a change somebody made while this process was down, and counts as every change of files does.
   */
  prefers(files: readonly PolicyText[]): Promise<boolean>;
  /** Puts the newest version in force when it is another than before. */
  follow(): Promise<void>;
  /** Makes it the newest version; its number. Throws POLICY_CONFLICT. `files` have been checked. */
  commit(files: readonly PolicyText[], candidate: Candidate): Promise<number>;
}

export interface FollowerDeps {
  /** Of this machine's policy.yaml, under which findings name it. */
  readonly path: string;
  readonly clock: Clock;
  readonly shared: Pick<PolicyVersions, "newest" | "has" | "activate">;
}

export function createFollower({ path, clock, shared }: FollowerDeps, holder: Holder): Follower {
  /** Number of the newest version that was looked at. */
  let known = 0;
  const here = ([main, ...parts]: readonly PolicyText[]): readonly PolicyText[] => [
    { name: path, text: main!.text },
    ...parts,
  ];
  return {
    async prefers(files) {
      const newest = await shared.newest(0);
      if (newest === undefined) return false;
      known = newest.number;
      const read = parsePolicyFiles(files);
      const isNew = read.ok && !(await shared.has(read.policy.revision));
      if (isNew || (read.ok && read.policy.revision === newest.revision)) return false;
      // A later program wrote it, with keys this one does not know: the files are all that is left.
      if (holder.check(here(newest.files)).length > 0) return false;
      holder.activate(here(newest.files), { by: newest.by, note: newest.note, version: newest.number });
      return true;
    },
    async follow() {
      const newest = await shared.newest(known);
      if (newest === undefined) return;
      known = newest.number;
      if (newest.revision === holder.inForce().compiled.revision) return;
      const { by, note, number: version } = newest;
      const findings = holder.activate(here(newest.files), { by, note, version });
      if (findings.length > 0) holder.reject(findings);
    },
    async commit(files, { by, note, expected }) {
      const { revision, rules } = requireGood(parsePolicyFiles(files));
      const version = { revision, rules: rules.length, files, by, note, atMs: clock.now() };
      known = await shared.activate(version, expected);
      return known;
    },
  };
}
