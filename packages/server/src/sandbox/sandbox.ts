/** What a sandbox tier offers: run a program on given files inside limits, and hand back what it wrote. */

export type LanguageId = "python" | "javascript" | "typescript" | "bash";

/** What the host was measured to hold. `none` still runs pure JavaScript in the QuickJS tier. */
export type IsolationLevel = "full" | "standard" | "none";

export type SandboxTier = "bubblewrap" | "quickjs";

export interface SandboxLimits {
  /** Wall time; 30_000 by default, 600_000 at most. */
  readonly wallMs: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly processes: number;
  readonly fileBytes: number;
  readonly diskBytes: number;
  /** stdout and stderr together. */
  readonly outputBytes: number;
}

export interface SandboxRequest {
  readonly language: LanguageId;
  readonly source: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  /** Host folder copied in at `/box` (the run's workspace). Undefined: an empty `/box`. Never written by the program itself. */
  readonly inputFolder?: string;
  /** Host folder, existing and empty, that receives what the program created or changed under `/box`. */
  readonly outputFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  readonly signal: AbortSignal;
}

export type LimitName = "wall" | "cpu" | "memory" | "processes" | "file-size" | "disk" | "output";

export interface SandboxOutcome {
  readonly tier: SandboxTier;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The first limit that was hit, by name. */
  readonly limitHit?: LimitName;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  readonly cpuMs?: number;
  readonly peakMemoryBytes?: number;
  /** Files created or changed, relative to the output folder, `/`-separated, sorted. Only regular files. */
  readonly written: readonly string[];
  /** Files of the input folder that the program deleted, relative, sorted. */
  readonly deleted: readonly string[];
  /** What was left behind on purpose and why, for example a symlink. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

/** What the start-up self-test found; shown by `doctor`, /v1/status and code_exec's refusals. */
export interface SandboxReport {
  readonly level: IsolationLevel;
  readonly tiers: readonly SandboxTier[];
  readonly cgroup: "v1" | "v2" | "none";
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  /** The command that would raise the level, when there is one. */
  readonly remedy?: string;
  readonly languages: readonly {
    readonly id: LanguageId;
    readonly available: boolean;
    readonly version?: string;
    readonly tiers: readonly SandboxTier[];
  }[];
}

export interface Sandbox {
  report(): SandboxReport;
  /** Rejects SANDBOX_UNAVAILABLE when no tier at or above `minimum` runs the language; never weakens silently. */
  run(request: SandboxRequest, minimum: IsolationLevel): Promise<SandboxOutcome>;
}
