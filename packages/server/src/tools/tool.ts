/** What a tool is: typed, with an effect class, a resource string for policy, and one function that acts. */
import type { z } from "zod";
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import type { ArgumentRole } from "../policy/rules/argument-origin.ts";
import type { OriginLabel, RiskLevel } from "../policy/rules/decision.ts";
import type { IsolationLevel, SandboxOutcome, SandboxRequest } from "../sandbox/sandbox.ts";

/**
 * What may be done after a crash between intent and outcome: `pure` and `idempotent` run again with the same key,
 * `checkable` asks the outside world first, `unsafe` goes to a person.
 */
export const effectClasses = ["pure", "idempotent", "checkable", "unsafe"] as const;
export type EffectClass = (typeof effectClasses)[number];

/** A named folder a run may touch. `workspace` always exists; others come from homeostat.yaml. */
export interface Root {
  readonly name: string;
  /** Absolute real path on this host. */
  readonly path: string;
  readonly writable: boolean;
}

export interface ToolContext {
  readonly tenant: string;
  readonly runId: string;
  readonly stepPath: string;
  readonly attempt: number;
  /** `run/stepPath/attempt`; hand it to the outside world wherever it takes one. */
  readonly idempotencyKey: string;
  readonly roots: readonly Root[];
  /** Aborted on cancel, timeout and lease end. A tool must end soon after. */
  readonly signal: AbortSignal;
  /**
   * To be called right before something leaves that nobody can call back. Throws TIMEOUT when the action's time is over: a process that
   * was stopped may come back to a connection before `signal` is aborted, and somebody may have been told that nothing happened.
   */
  requireTime(): void;
  readonly clock: Clock;
  /** The weakest isolation policy allows for this action. */
  readonly minimumIsolation: IsolationLevel;
  readonly timeoutMs: number;
  /** At most a few lines a second; shown live and in lists, not journalled. `percent` (0 to 100) is of the whole run, if known. */
  progress(text: string, percent?: number): void;
  /** To be called before the action goes on to a resource that was not judged, such as a redirect's target. Throws ACTION_DENIED. */
  requireFurther(resource: string): void;
  /** The arguments as they were judged, with handles in place of secrets; absent when none was opened. */
  readonly sealedArgs?: JsonObject;
  runSandboxed(request: SandboxRequest, minimum: IsolationLevel): Promise<SandboxOutcome>;
}

export interface ToolResult {
  readonly output: JsonValue;
  /** Where the output came from, for data-flow rules. */
  readonly labels: readonly OriginLabel[];
  /** True when files below a root may have changed: the workspace is saved and new files become artifacts. */
  readonly touchedFiles: boolean;
  /** What the artifact tool wants recorded with a file of the workspace. */
  readonly artifacts?: readonly ArtifactNote[];
}

/** `path` is relative to the workspace. */
export interface ArtifactNote {
  readonly path: string;
  readonly title: string;
  readonly description?: string;
}

/** What `resolve` found: the resource policy judges and the arguments that will really be used. */
export interface ResolvedAction {
  readonly resource: string;
  /**
   * What the act touches besides `resource`: a move's target, the other files of a list.
   * Policy judges each and the strictest decision wins; absent when there is only one.
   */
  readonly otherResources?: readonly string[];
  /** Paths resolved through symlinks, hosts lower-case; digests of files to be run or deleted added. This is what is approved. */
  readonly args: JsonObject;
  /** One line for people: "delete stale/logo-2019.png (12 KB)". Shown in approvals. */
  readonly summary: string;
}

export interface Tool<Args = never> {
  /** Action name, for example `file_ops.delete`. */
  readonly name: string;
  readonly description: string;
  readonly args: z.ZodType<Args>;
  readonly effect: EffectClass;
  /**
   * What it does to files of the run: steps that may write exclude each other within a run, all others act side by side.
   * Absent: it may write.
   */
  readonly files?: "none" | "reads" | "writes";
  readonly risk: RiskLevel;
  /** Done by steps of this kind alone; no `tool` step can name it. */
  readonly stepKind?: "workflow";
  /** What arguments are for, by name at any depth, with all that lies inside; rules on data flow go by these. Others are inferred. */
  readonly argumentRoles?: Readonly<Record<string, ArgumentRole>>;
  /** Whose words its errors may quote, besides `tool`. */
  readonly failureLabels?: (resolvedArgs: JsonObject) => readonly OriginLabel[];
  readonly defaultTimeoutMs: number;
  readonly maxTimeoutMs: number;
  /** Pure but for looking (stat, realpath). Throws ACTION_INVALID or ACTION_DENIED (our own folders, escaping paths). */
  resolve(args: Args, context: Pick<ToolContext, "roots" | "runId">): Promise<ResolvedAction>;
  /**
   * Acts on resolved arguments. Throws HomeostatError; `data.transient: true` marks errors worth a retry. An `unsafe` tool
   * adds `data.didNotHappen: true` when it knows that nothing was done; a transient failure without it leaves doubt.
   */
  execute(resolved: ResolvedAction, context: ToolContext): Promise<ToolResult>;
  /** For `checkable`: did the effect of this key happen? */
  check?(
    resolved: ResolvedAction,
    context: ToolContext,
  ): Promise<
    | { readonly kind: "happened"; readonly result: ToolResult }
    | { readonly kind: "did-not-happen" }
    | { readonly kind: "unknown" }
  >;
}

/** A tool with its argument type forgotten, as the registry holds it; `args` has parsed before `resolve` sees it. */
export type AnyTool = Tool<never>;
