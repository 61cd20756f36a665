/** `agent.yaml`, schema version 1: what a package of an agent is, needs, and offers. Shapes only; `parseManifest` checks them. */

/** Kebab-case, unique in a registry: `brand-auditor` or, with an owner, `acme/brand-auditor`. */
export type PackageId = string;

/** Semantic version 2.0.0 without build metadata: `1.4.0`, `2.0.0-rc.1`. */
export type PackageVersion = string;

export interface Manifest {
  /** Version of this schema; a host refuses versions it does not know. */
  readonly schema: 1;
  readonly id: PackageId;
  readonly version: PackageVersion;
  /** One sentence for people, shown where the agent is chosen. */
  readonly description?: string;
  readonly entry: Entry;
  /** Names of tools the agent calls, for example `file_ops.read`. A tool that is not named is not reachable, whatever policy says. */
  readonly tools: readonly string[];
  /** What the package asks for. Policy decides what it gets; it never gets more than it asked for. */
  readonly permissions: Permissions;
  readonly limits: Limits;
  /** What others may call. */
  readonly exports: readonly Export[];
}

/** How the host starts the package: a process that speaks JSON-RPC 2.0 over standard input and output, one message a line. */
export type Entry =
  /** A module that the host's own Node runs; a path inside the package. */
  | { readonly kind: "node"; readonly path: string }
  /** Any program: an argument list, never a shell line. Its first item is found on the sandbox's path or inside the package. */
  | { readonly kind: "command"; readonly command: readonly string[] };

export interface Permissions {
  /** `host` or `host:port`; `*.example.org` means names below it. Empty: no network. */
  readonly network: readonly string[];
  /** Names of secrets. The package receives handles such as `secret://mail-password@3`, never values. */
  readonly secrets: readonly string[];
  readonly files: readonly FilePermission[];
}

/** `root` is a named folder of the host, or `workspace`, the run's own. `path` is a glob inside it, `**` by default. */
export interface FilePermission {
  readonly root: string;
  readonly path?: string;
  readonly mode: "read" | "write";
}

/** Each bounds one invocation. What is left out takes the host's default; the host's maximum holds in any case. */
export interface Limits {
  /** Wall time. */
  readonly timeoutMs?: number;
  readonly memoryBytes?: number;
  readonly processes?: number;
  /** Tool calls and model calls together. */
  readonly steps?: number;
  /** Input and output tokens of model calls together. */
  readonly tokens?: number;
  /** In US dollars. */
  readonly cost?: number;
}

/** `private`: only agents in the same runtime may call it. `public`: also the HTTP API, as policy allows. */
export interface Export {
  /** Lower-case words joined by `_`, unique in the package. */
  readonly name: string;
  readonly visibility: "public" | "private";
  readonly description?: string;
  /** JSON Schema (draft 2020-12) of the input; none: any JSON object. */
  readonly input?: JsonSchema;
  readonly output?: JsonSchema;
}

export type JsonSchema = Readonly<Record<string, unknown>>;
