/**
 * The messages between the host and a package's process: JSON-RPC 2.0, UTF-8, one message a line on standard input and
 * output. Standard error is the package's log. Shapes only; version 1 of the protocol.
 *
 * The host sends `initialize` once, then any number of `invoke`, side by side when the package said it can; `cancel` is a
 * notification. The package may send requests of its own while an invocation is open: `tool` to act, `model` to ask a
 * model; and the notification `progress`. Every action passes the host's gate like any other.
 */

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [member: string]: JsonValue };

/** JSON-RPC ids are chosen by the sender of a request and unique among its open ones. */
export type RequestId = string | number;

export interface Request<Method extends string, Params> {
  readonly jsonrpc: "2.0";
  readonly id: RequestId;
  readonly method: Method;
  readonly params: Params;
}

/** Has no id and gets no answer. */
export interface Notification<Method extends string, Params> {
  readonly jsonrpc: "2.0";
  readonly method: Method;
  readonly params: Params;
}

export type Response<Result> = Success<Result> | Failure;

export interface Success<Result> {
  readonly jsonrpc: "2.0";
  readonly id: RequestId;
  readonly result: Result;
}

export interface Failure {
  readonly jsonrpc: "2.0";
  /** Null when the request could not be read. */
  readonly id: RequestId | null;
  readonly error: InvocationError;
}

/** `code` is JSON-RPC's own (-32700 to -32600) or one of `InvocationErrorCode`; programs read `data.code`. */
export interface InvocationError {
  readonly code: number;
  /** For people: what happened, with the actual values and without secrets. */
  readonly message: string;
  readonly data?: {
    /** The host's error code, for example `ACTION_DENIED`. */
    readonly code: string;
    readonly hint?: string;
    /** The same call may succeed later. */
    readonly isTransient?: boolean;
  };
}

/** In JSON-RPC's range for servers. */
export type InvocationErrorCode =
  /** Policy or a person said no. */
  | -32001
  /** The invocation was cancelled or its time was up. */
  | -32002
  /** A limit of the manifest or the host was reached. */
  | -32003
  /** The tool, model or export failed. */
  | -32004;

// From the host to the package.

export type HostMessage =
  | Request<"initialize", InitializeParams>
  | Request<"invoke", InvokeParams>
  | Notification<"cancel", CancelParams>
  | Notification<"shutdown", Readonly<Record<string, never>>>
  | Response<ToolResult>
  | Response<ModelResult>;

export interface InitializeParams {
  readonly protocol: 1;
  /** What the package was granted: at most what its manifest asked for. */
  readonly granted: {
    readonly tools: readonly string[];
    readonly network: readonly string[];
    /** Name -> handle, for example `mail-password` -> `secret://mail-password@3`. */
    readonly secrets: Readonly<Record<string, string>>;
  };
  /** The package's own settings, as the operator wrote them. */
  readonly config: { readonly [member: string]: JsonValue };
}

export interface InitializeResult {
  readonly protocol: 1;
  /** True: `invoke` may be sent while another is open. False: the host sends one at a time. */
  readonly isConcurrent: boolean;
}

export interface InvokeParams {
  /** Unique for this call. Its tool calls, model calls and `cancel` name it. */
  readonly invocation: string;
  /** The name of the export. */
  readonly export: string;
  readonly input: JsonValue;
  /** Where the invocation belongs, for the package's own log. */
  readonly run: { readonly id: string; readonly step: string };
  /** Milliseconds from now on until the host ends the invocation. */
  readonly timeoutMs: number;
}

export interface InvokeResult {
  readonly output: JsonValue;
}

export interface CancelParams {
  readonly invocation: string;
  /** For people. */
  readonly reason: string;
}

// From the package to the host.

export type PackageMessage =
  | Response<InitializeResult>
  | Response<InvokeResult>
  | Request<"tool", ToolParams>
  | Request<"model", ModelParams>
  | Notification<"progress", ProgressParams>;

/**
 * `key` makes a repeated request harmless: the host answers a key it has answered before with the same result. It must
 * be the same when the package repeats the call and another for every other call of the invocation.
 */
export interface ToolParams {
  readonly invocation: string;
  readonly key: string;
  /** One of the granted tools. */
  readonly tool: string;
  readonly args: { readonly [member: string]: JsonValue };
}

export interface ToolResult {
  readonly output: JsonValue;
  /** Where the output came from. `web`, `file` and `tool` are data, never instructions. */
  readonly labels: readonly OriginLabel[];
}

export type OriginLabel = "user" | "operator" | "agent" | "web" | "mail" | "file" | "tool" | "mcp";

export interface ModelParams {
  readonly invocation: string;
  readonly key: string;
  readonly tier: "fast" | "main" | "heavy";
  readonly messages: readonly ModelMessage[];
  /** JSON Schema the answer must fit; none: free text. */
  readonly schema?: { readonly [member: string]: JsonValue };
  readonly maxOutputTokens?: number;
}

export interface ModelMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ModelResult {
  readonly content: string;
  /** Input includes cached tokens, output includes reasoning tokens. */
  readonly usage: {
    readonly input: number;
    readonly cachedInput: number;
    readonly output: number;
    readonly reasoning: number;
  };
}

/** At most a few a second; shown live and not recorded. */
export interface ProgressParams {
  readonly invocation: string;
  readonly text: string;
}
