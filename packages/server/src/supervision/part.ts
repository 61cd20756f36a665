/** A Part is anything long-lived: it starts, stops, and says how it is. `system.ts` starts them in order, stops in reverse. */

export type Health =
  | { readonly kind: "ok"; readonly detail?: string }
  | { readonly kind: "degraded"; readonly detail: string }
  | { readonly kind: "failed"; readonly detail: string };

export interface Part {
  /** Unique, kebab-case; appears in /readyz, doctor and logs. */
  readonly name: string;
  /** Resolves when the part serves. Rejects with a HomeostatError when it cannot. Called once. */
  start(): Promise<void>;
  /** Ends all work and releases everything, finishing what it can before `deadlineMs` from now. Never rejects; may be called twice. */
  stop(deadlineMs: number): Promise<void>;
  /** Cheap and synchronous; called on every readiness probe. */
  health(): Health;
}
