/** A Part is anything long-lived: it starts, stops, says how it is and when it broke down. Supervisors start, watch and renew parts. */

export type Health =
  | { readonly kind: "ok"; readonly detail?: string }
  | { readonly kind: "degraded"; readonly detail: string }
  /** `needsPerson`: a new object would be no better (evidence of tampering, a lost key), so nothing is restarted over it. */
  | { readonly kind: "failed"; readonly detail: string; readonly needsPerson?: true };

export interface Part {
  /** Unique among its siblings, kebab-case; appears in /readyz, doctor and logs. */
  readonly name: string;
  /** Resolves when the part serves. Rejects with a HomeostatError when it cannot. Called once: a restart makes a new object. */
  start(): Promise<void>;
  /** Ends all work and releases everything, finishing what it can before `deadlineMs` from now. Never rejects; may be called twice. */
  stop(deadlineMs: number): Promise<void>;
  /** Cheap and synchronous; called on every readiness probe. */
  health(): Health;
  /** Resolves with the reason once the part has broken down by itself and does no more work; never rejects. Absent: health alone tells. */
  readonly failed?: Promise<unknown>;
  /** For people: what waits for the part and what hangs below it. Cheap and synchronous; must not throw. */
  inspect?(): PartDetails;
}

export interface PartDetails {
  readonly mailbox?: MailboxState;
  /** Names unique among them. */
  readonly children?: readonly TreeNode[];
}

/** What a mailbox does with one more message when it is full. */
export type Overflow = "reject" | "drop-oldest" | "drop-newest";

/** Counters are since the mailbox was made. */
export interface MailboxState {
  readonly length: number;
  readonly capacity: number;
  readonly overflow: Overflow;
  readonly accepted: number;
  /** Lost to `drop-oldest` or `drop-newest`. */
  readonly dropped: number;
  /** Refused because it was full or closed. */
  readonly rejected: number;
  readonly longest: number;
}

export type Strategy = "one-for-one" | "all-for-one" | "rest-for-one";

/** One place of the supervision tree as it is now. */
export interface TreeNode {
  readonly name: string;
  readonly kind: "supervisor" | "part" | "actor" | "run";
  readonly state: "starting" | "running" | "restarting" | "failed" | "stopped";
  readonly health: Health;
  /** Since the process started. */
  readonly restarts: number;
  readonly lastError: string | null;
  /** Milliseconds since its last start; null while it does not run. */
  readonly uptimeMs: number | null;
  /** How a supervisor answers a breakdown; null for all else. */
  readonly strategy: Strategy | null;
  readonly mailbox: MailboxState | null;
  readonly children: readonly TreeNode[];
}
