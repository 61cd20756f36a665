/** What policy may know of an action's data flow: where each argument came from, and what the run did before. Plain data. */

/** Where a value came from. Untrusted: web, mail, file, tool, mcp. */
export type OriginLabel = "user" | "operator" | "agent" | "web" | "mail" | "file" | "tool" | "mcp";

/** What an argument is for. A tool declares it; for unknown tools it is inferred from names, schema and values. */
export const argumentRoles = [
  "recipient",
  "payee",
  "account",
  "host",
  "command",
  "credential",
  "identifier",
  "path",
  "body",
  "amount",
  "date",
  "option",
] as const;
export type ArgumentRole = (typeof argumentRoles)[number];

/** Where an action ends up: what an attacker wants to choose. */
export const targetRoles: ReadonlySet<ArgumentRole> = new Set([
  "recipient",
  "payee",
  "account",
  "host",
  "command",
  "credential",
  "identifier",
]);

/**
 * `trusted`: the task, its inputs or the operator's own text say it. `untrusted-only`: it stands in untrusted content
 * alone. `mixed`: made of both, or computed from untrusted numbers. `invented`: found nowhere.
 */
export const originKinds = ["trusted", "mixed", "untrusted-only", "invented"] as const;
export type OriginKind = (typeof originKinds)[number];

/** How the value was found again. */
export type OriginMatch = "exact" | "normalised" | "contained" | "derived" | "expression" | "none";

/** One leaf of an action's arguments. */
export interface ArgumentOrigin {
  /** As in `to[0]` or `message.body`. */
  readonly path: string;
  readonly role: ArgumentRole;
  readonly from: OriginKind;
  readonly how: OriginMatch;
  /** Of everything the value was found in. */
  readonly labels: readonly OriginLabel[];
  /** The first few places it was found at, for people: `step fetch, output.text`. */
  readonly sources: readonly string[];
  /** 0 to 100: how much the passage it stands in reads as an instruction to the assistant. 0 when the task says it too. */
  readonly instructed: number;
  /** True when the task names the source the value came from, or the value's owner. */
  readonly isDelegated: boolean;
}

/** One thing the run did before this action, as sequence rules see it. */
export interface PastAct {
  readonly action: string;
  readonly resource: string;
  /** Of what it brought into the run. */
  readonly labels: readonly OriginLabel[];
  readonly outcome: "completed" | "failed" | "denied";
  /** 0 to 100: the most instruction-like passage in its output. */
  readonly instructed: number;
  readonly atMs: number;
}

export interface ActionFlow {
  readonly arguments: readonly ArgumentOrigin[];
  /** Oldest first; the last 200. */
  readonly history: readonly PastAct[];
  /** False for an action that only looks. */
  readonly isEffect: boolean;
  /** Whether the task asks for this kind of action; null when that cannot be told. */
  readonly isRequested: boolean | null;
  /** How many targets of this action the agent has never used before; null when nobody remembers. */
  readonly newTargets: number | null;
}

/** The origin of one leaf in words: "to[0] (recipient) only from web: step fetch, output.text". */
export function describeOrigin(origin: ArgumentOrigin): string {
  const { path, role, from, sources, instructed, how } = origin;
  const where = sources.length === 0 ? "" : `: ${sources.join("; ")}`;
  const text = `${path} (${role}) ${phrases[from]}${labelText(origin)}${how === "derived" ? ", computed" : ""}${where}`;
  return instructed >= 40
    ? `${text}, in a passage that reads as an instruction (${instructed} of 100)`
    : text;
}

const phrases = {
  trusted: "from",
  mixed: "partly from",
  "untrusted-only": "only from",
  invented: "from nowhere",
} as const;

function labelText({ from, labels }: ArgumentOrigin): string {
  return from === "invented" ? "" : ` ${labels.join(", ")}`;
}
