/** Keeps the policy of policy.yaml and policy.d in force: loads it, follows changes, and never puts a bad text in place of a good one. */
import { copyFile, constants } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../base/clock.ts";
import { errorMessage, HomeostatError, isHomeostatError } from "../../base/error.ts";
import { toErrorDetail, formatFinding } from "../../base/finding.ts";
import type { Finding } from "../../base/finding.ts";
import type { Part } from "../../supervision/part.ts";
import type { CompiledPolicy } from "../rules/compile.ts";
import { createFollower } from "./follow-versions.ts";
import type { Follower } from "./follow-versions.ts";
import type { PolicyText } from "../file/policy-file.ts";
import { finishPolicyFolder, readPolicyFolder, stampOf, writePolicyFolder } from "../file/policy-folder.ts";
import { byFiles, createHolder } from "./policy-holder.ts";
import type { Candidate, Holder, HolderDeps } from "./policy-holder.ts";
import { policyConflict } from "./versions.ts";
import type { PolicyVersions } from "./versions.ts";

export interface ActivePolicyDeps extends HolderDeps {
  /** Absolute path of policy.yaml. Made from the shipped default when it is missing at the start. */
  readonly path: string;
  readonly clock: Clock;
  /**
   * The versions, when several machines share them: the newest is in force on all of them, whichever put it there, and an
   * activation is a version first. Absent: what is on the disk of this machine counts.
   */
  readonly shared?: Pick<PolicyVersions, "newest" | "has" | "activate">;
  /** How often the files, and the versions, are looked at; 1,000 by default. */
  readonly pollMs?: number;
}

export interface ActivePolicy extends Part {
  /** The policy in force; the same object until the next change. Throws POLICY_INVALID before the start. */
  current(): CompiledPolicy;
  /** For the API: texts and warnings of the policy in force, and what is wrong with the files if they were rejected. */
  source(): PolicySource;
  /**
   * Writes the files and puts them in force. Throws POLICY_CONFLICT when the policy in force is not `expected`, and
   * POLICY_INVALID with the findings; then nothing is written.
   */
  activate(candidate: Candidate): Promise<void>;
}

export interface PolicySource {
  readonly path: string;
  /** Of policy.yaml. */
  readonly text: string;
  /** policy.yaml first, then those of policy.d by name. */
  readonly files: readonly PolicyText[];
  readonly warnings: readonly Finding[];
  readonly rejected: readonly Finding[];
}

/** The shipped policy: what a new installation starts with. */
export const defaultPolicyPath: string = fileURLToPath(new URL("default-policy.yaml", import.meta.url));

/**
 * `start` rejects POLICY_INVALID when the first files are bad: there is no last good one, and to run without a policy is no
 * choice. Later a bad or missing file changes nothing but the health, which says what is wrong.
 */
export function openActivePolicy(deps: ActivePolicyDeps): ActivePolicy {
  const { path } = deps;
  const holder = createHolder(deps);
  const stopping = new AbortController();
  const files = createFiles(deps, holder);
  const follower =
    deps.shared === undefined ? undefined : createFollower({ ...deps, shared: deps.shared }, holder);
  let polling: Promise<void> = Promise.resolve();
  let turn: Promise<unknown> = Promise.resolve();

  /** Looks and activations take turns: neither sees the other half done. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  }

  async function poll(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      try {
        await deps.clock.sleep(deps.pollMs ?? 1_000, signal);
        await inTurn(files.look);
        // A database that is away says so itself, and the policy in force stays.
        if (follower !== undefined) await inTurn(follower.follow).catch(() => undefined);
      } catch (error) {
        if (signal.aborted) return;
        const finding = unreadable(path, errorMessage(error));
        if (holder.rejected()[0]?.message !== finding.message) holder.reject([finding]);
      }
    }
  }

  return {
    name: "policy",
    async start() {
      await createPolicyFile(path);
      await files.begin(follower);
      polling = poll();
    },
    async stop() {
      stopping.abort(new Error("policy is stopping"));
      await polling;
    },
    health: holder.health,
    current: () => holder.inForce().compiled,
    source() {
      const { files: texts, warnings } = holder.inForce();
      return { path, text: texts[0]!.text, files: texts, warnings, rejected: holder.rejected() };
    },
    activate: (candidate) => inTurn(() => files.replace(candidate, follower)),
  };
}

/** What was last seen on the disk; callers take turns. */
interface Files {
  /** Reads them for the first time. Throws POLICY_INVALID when there is nothing to put in force. */
  begin(follower?: Follower): Promise<void>;
  /** Puts what has changed in force, or says what is wrong with it. */
  look(): Promise<void>;
  /** See `ActivePolicy.activate`. */
  replace(candidate: Candidate, follower?: Follower): Promise<void>;
}

/** Some renames take milliseconds; a writer that has not ended by then has been killed. */
const pendingPatienceMs = 10_000;

function createFiles({ path, clock }: Pick<ActivePolicyDeps, "path" | "clock">, holder: Holder): Files {
  let seen: readonly PolicyText[] | undefined;
  let seenStamp = "";
  return {
    async begin(follower) {
      await finishPolicyFolder(path, clock, pendingPatienceMs);
      seenStamp = await stampOf(path);
      seen = await readFirst(path);
      const findings = holder.check(seen);
      if (await follower?.prefers(seen)) {
        if (findings.length > 0) holder.reject(findings);
        return;
      }
      if (findings.length > 0) throw invalid(path, findings);
      holder.activate(seen, byFiles);
    },
    async look() {
      await finishPolicyFolder(path, clock, pendingPatienceMs);
      const stamp = await stampOf(path);
      if (stamp === seenStamp) return;
      const files = await readPolicyFolder(path);
      seenStamp = stamp;
      const isGone = files === undefined;
      if (isGone ? seen === undefined : seen !== undefined && isSame(files, seen)) return;
      seen = files;
      holder.reject(isGone ? [unreadable(path, "the file is gone")] : holder.activate(files, byFiles));
    },
    async replace(candidate, follower) {
      await follower?.follow();
      const [main, ...parts] = candidate.files;
      const files = [{ name: path, text: main!.text }, ...parts] as const;
      const { revision } = holder.inForce().compiled;
      if (revision !== candidate.expected) throw policyConflict(candidate.expected, revision);
      const findings = holder.check(files);
      if (findings.length > 0) throw invalid(path, findings);
      const version = (await follower?.commit(files, candidate)) ?? null;
      try {
        await writePolicyFolder(path, files, clock);
      } catch (error) {
        // Where versions are shared the disk is only where the first one came from, and often cannot be written.
        if (version === null) throw error;
        holder.activate(files, { ...candidate, version });
        return;
      }
      seen = files;
      // Somebody may have saved a file at this very moment: the next look reads what is there.
      seenStamp = "";
      holder.activate(files, { ...candidate, version });
      holder.reject([]);
    },
  };
}

function isSame(a: readonly PolicyText[], b: readonly PolicyText[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, text }, index) => name === b[index]?.name && text === b[index].text)
  );
}

/** Copies the shipped policy to `path` unless something is there. Throws POLICY_INVALID when it cannot be written. */
async function createPolicyFile(path: string): Promise<void> {
  try {
    await copyFile(defaultPolicyPath, path, constants.COPYFILE_EXCL);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return;
    throw new HomeostatError(
      "POLICY_INVALID",
      `Cannot write the default policy to ${path}: ${errorMessage(error)}`,
      { path },
      { cause: error },
    );
  }
}

async function readFirst(path: string): Promise<readonly PolicyText[]> {
  try {
    const files = await readPolicyFolder(path);
    if (files !== undefined) return files;
    throw new HomeostatError("POLICY_INVALID", `The policy ${path} is gone`, { path });
  } catch (error) {
    if (isHomeostatError(error, "POLICY_INVALID")) throw error;
    throw new HomeostatError(
      "POLICY_INVALID",
      `Cannot read the policy ${path}: ${errorMessage(error)}`,
      { path },
      { cause: error },
    );
  }
}

function invalid(path: string, findings: readonly Finding[]): HomeostatError {
  const errors = findings.filter((finding) => finding.severity === "error");
  const first = formatFinding(errors[0]!);
  return new HomeostatError(
    "POLICY_INVALID",
    `The policy cannot be used: ${first}`,
    { path },
    { details: errors.map(toErrorDetail) },
  );
}

function unreadable(path: string, message: string): Finding {
  return {
    severity: "error",
    file: path,
    line: 1,
    column: 1,
    path: "",
    message: `cannot be read: ${message}`,
  };
}
