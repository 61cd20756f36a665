/** Keeps the policy of policy.yaml in force: loads it, follows changes, and never puts a bad file in place of a good one. */
import { copyFile, constants, readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Clock } from "../base/clock.ts";
import { errorMessage, HomeostatError } from "../base/error.ts";
import { toErrorDetail, formatFinding } from "../base/finding.ts";
import type { Finding } from "../base/finding.ts";
import type { Health, Part } from "../supervision/part.ts";
import { compilePolicy } from "./compile.ts";
import type { CompiledPolicy } from "./compile.ts";
import { lintPolicy } from "./lint.ts";
import { parsePolicy } from "./policy-file.ts";

/** What the reload of a file led to; sent once per content. */
export type PolicyChange =
  /** A new revision is in force. `warnings` are the lint's. */
  | {
      readonly kind: "activated";
      readonly revision: string;
      readonly rules: number;
      readonly warnings: readonly Finding[];
    }
  /** The file cannot be used; `kept` is the revision that stays in force. */
  | { readonly kind: "rejected"; readonly findings: readonly Finding[]; readonly kept: string };

export interface ActivePolicyDeps {
  /** Absolute path of policy.yaml. Made from the shipped default when it is missing at the start. */
  readonly path: string;
  readonly clock: Clock;
  /** Action names of this server, for the lint. */
  readonly knownActions: readonly string[];
  /** Told of every change after the start, and of the first policy. Must not throw; called in order, never twice for one content. */
  readonly report: (change: PolicyChange) => void;
  /** How often the file is looked at; 1,000 by default. */
  readonly pollMs?: number;
}

export interface ActivePolicy extends Part {
  /** The policy in force; the same object until the next change. Throws POLICY_INVALID before the start. */
  current(): CompiledPolicy;
  /** For the API: text and warnings of the policy in force, and what is wrong with the file if it was rejected. */
  source(): PolicySource;
}

export interface PolicySource {
  readonly path: string;
  readonly text: string;
  readonly warnings: readonly Finding[];
  readonly rejected: readonly Finding[];
}

/** The shipped policy: what a new installation starts with. */
export const defaultPolicyPath: string = fileURLToPath(new URL("default-policy.yaml", import.meta.url));

interface InForce {
  readonly compiled: CompiledPolicy;
  readonly text: string;
  readonly warnings: readonly Finding[];
}

/**
 * `start` rejects POLICY_INVALID when the first file is bad: there is no last good one, and to run without a policy is no
 * choice. Later a bad or missing file changes nothing but the health, which says what is wrong.
 */
export function openActivePolicy(deps: ActivePolicyDeps): ActivePolicy {
  const { path } = deps;
  const holder = createHolder(deps);
  const stopping = new AbortController();
  let seenText: string | undefined;
  let seenStamp = "";
  let polling: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    const stamp = await stampOf(path);
    if (stamp === seenStamp) return;
    const text = stamp === missing ? undefined : await readFile(path, "utf8");
    seenStamp = stamp;
    if (text === seenText) return;
    seenText = text;
    holder.reject(text === undefined ? [unreadable(path, "the file is gone")] : holder.activate(text));
  }

  async function poll(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      try {
        await deps.clock.sleep(deps.pollMs ?? 1_000, signal);
        await look();
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
      seenStamp = await stampOf(path);
      seenText = await readPolicy(path);
      const findings = holder.activate(seenText);
      if (findings.length > 0) throw invalid(path, findings);
      polling = poll();
    },
    async stop() {
      stopping.abort(new Error("policy is stopping"));
      await polling;
    },
    health: holder.health,
    current: () => holder.inForce().compiled,
    source() {
      const { text, warnings } = holder.inForce();
      return { path, text, warnings, rejected: holder.rejected() };
    },
  };
}

/** What is in force and what was refused; knows nothing of files and time. */
interface Holder {
  /** Throws POLICY_INVALID before the first good text. */
  readonly inForce: () => InForce;
  /** Puts a good text in force and answers with nothing; else with what is wrong. */
  readonly activate: (text: string) => readonly Finding[];
  readonly reject: (findings: readonly Finding[]) => void;
  readonly rejected: () => readonly Finding[];
  readonly health: () => Health;
}

function createHolder({ path, knownActions, report }: ActivePolicyDeps): Holder {
  let held: InForce | undefined;
  let rejected: readonly Finding[] = [];

  function inForce(): InForce {
    if (held !== undefined) return held;
    throw new HomeostatError("POLICY_INVALID", `The policy ${path} is not loaded yet`);
  }

  return {
    inForce,
    rejected: () => rejected,
    activate(text) {
      const result = parsePolicy(text, { file: path });
      if (!result.ok) return result.findings;
      const { policy } = result;
      const { revision } = policy;
      const warnings = [...result.warnings, ...lintPolicy(policy, { knownActions, file: path })];
      const isNew = held?.compiled.revision !== revision;
      // One assignment: a decision sees the old policy or the new one, never parts of both.
      held = { compiled: compilePolicy(policy), text, warnings };
      if (isNew) report({ kind: "activated", revision, rules: policy.rules.length, warnings });
      return [];
    },
    reject(findings) {
      rejected = findings;
      if (findings.length > 0) report({ kind: "rejected", findings, kept: inForce().compiled.revision });
    },
    health() {
      if (held === undefined) return { kind: "failed", detail: "no policy is loaded" };
      const [first] = rejected;
      if (first === undefined) return { kind: "ok", detail: `${held.compiled.rules.length} rules` };
      return { kind: "degraded", detail: `the last good policy stays in force: ${formatFinding(first)}` };
    },
  };
}

const missing = "missing";

/** Changes whenever the file is written or replaced; sizes and inodes catch writers that keep the time. */
async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    return `${mtimeNs}/${size}/${ino}`;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return missing;
    throw error;
  }
}

/** Copies the shipped policy to `path` unless something is there. Throws POLICY_INVALID when it cannot be written. */
export async function createPolicyFile(path: string): Promise<void> {
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

async function readPolicy(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
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
  const first = errors[0] === undefined ? "" : formatFinding(errors[0]);
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
