/** What comes to the gate, and what its guards learn about it on the way. */
import type { JsonObject } from "../base/canonical-json.ts";
import type { ActionRequest, Decision, OriginLabel } from "../policy/rules/decision.ts";
import type { AskedFor } from "./asked-for.ts";
import type { Asked } from "../policy/rules/recorded-action.ts";
import type { TransformRecord } from "../policy/rules/transform-record.ts";
import type { ForeignPassages } from "./data-flow-passages.ts";

/** The last answer a person gave for a step. It counts only for exactly the arguments it was given for. */
export interface GivenAnswer {
  readonly answer: "approve" | "reject" | "expire";
  readonly argsDigest: string;
  /** Digest of the arguments that the person put in place of those asked about. */
  readonly editDigest?: string;
  /** What the question was put for; absent in journals of older versions. */
  readonly askedFor?: AskedFor;
}

/** A person's yes: their answer to this very question, or one that stands. */
export type Consent = { readonly kind: "answer" } | { readonly kind: "standing"; readonly id: string };

/** What the gate needs to know of a tool. `parse` throws ACTION_INVALID; `resolve` only looks, it changes nothing. */
export interface GateTool {
  readonly name: string;
  readonly defaultTimeoutMs: number;
  readonly maxTimeoutMs: number;
  /** It opens no secrets: handles in its arguments go on as they are, and what opens them is judged there. */
  readonly passesSecretsOn?: true;
  parse(args: JsonObject): unknown;
  resolve(parsed: unknown): Promise<ResolvedAction>;
}

export interface ResolvedAction {
  readonly resource: string;
  /** Further resources the same action touches (a move's target); policy judges each. */
  readonly otherResources?: readonly string[];
  readonly args: JsonObject;
  readonly summary: string;
}

export interface Traced extends Pick<ActionRequest, "flow" | "risks"> {
  /** Passages of untrusted content that may stand in the arguments; absent: none are known. */
  readonly passages?: ForeignPassages;
}

/** An action at the door, and who wants it. */
export interface GateInput {
  readonly tool: GateTool | undefined;
  readonly toolName: string;
  readonly args: JsonObject;
  readonly labels: readonly OriginLabel[];
  readonly runId: string;
  readonly stepPath: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly agent: string;
  readonly role: string;
  readonly tenant: string;
  /** Who asked for the run, as `user:ada`; absent: nobody knows. */
  readonly user?: string;
  readonly stepTimeoutMs: number | null;
  /** What was done to these arguments when the attempt began that is to be done once more; absent: nothing. */
  readonly begun?: TransformRecord;
  /** Where these arguments came from and what the run did before; absent: nobody knows, and no rule about it matches. */
  readonly trace?: (args: JsonObject) => Traced | Promise<Traced>;
  readonly answer: GivenAnswer | null;
}

/** What the guards have learned so far. */
export interface Draft {
  readonly input: GateInput;
  /** Those of the input, or what a transformation made of them. */
  readonly args?: JsonObject;
  readonly transformed?: TransformRecord;
  readonly parsed?: unknown;
  readonly resolved?: ResolvedAction;
  readonly argsDigest?: string;
  readonly traced?: Traced;
  readonly decision?: Decision;
  readonly asked?: Asked;
  /** What policy was asked last, whatever the resource. */
  readonly request?: Omit<ActionRequest, "resource">;
  readonly consent?: Consent;
  /** Held back by the breaker already: nothing more is asked. */
  readonly isHeld?: true;
  /** The breaker let it pass, maybe as its only probe: whoever goes no further gives that back. */
  readonly hasPassedBreaker?: true;
  readonly places?: readonly string[];
}
