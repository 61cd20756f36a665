/** The calls of the policy page: candidates, versions, shadow, explanation, and recorded actions decided again. */
import { createClient, type Client } from "@homeostat/client";
import type { Operations, Policy, PolicyShadow, PolicyVersion, StepView } from "@homeostat/client/api";
import type { Page } from "./contract.ts";

export type PolicyText = Policy["files"][number];
export type Explanation = Operations["policy.explain"]["answer"];
export type ExplainInput = Operations["policy.explain"]["body"];
export type NearMiss = Explanation["nearMisses"][number];
export type PolicyChanges = Operations["policy.diff"]["answer"];
export type PolicySide = NonNullable<Operations["policy.diff"]["body"]["from"]>;
export type CheckedPolicy = Operations["policy.check"]["answer"];
export type TestReport = Operations["policy.test"]["answer"];
export type Shadow = NonNullable<PolicyShadow["shadow"]>;
export type ShadowSample = Shadow["changes"][number]["samples"][number];
export type Tool = Operations["tools.list"]["answer"]["data"][number];
export type DryRunInput = Operations["policy.dryRun"]["body"];
export type { Policy, PolicyVersion };

export interface Activation {
  readonly files: readonly PolicyText[];
  /** The revision the change was made on. */
  readonly expected: string;
  readonly note: string;
}

const client = createClient({ baseUrl: "" });

/** Each rejects with an ApiError. */
export const policyApi = {
  check: (files: readonly PolicyText[], signal?: AbortSignal): Promise<CheckedPolicy> =>
    client.call("policy.check", { body: { files }, signal }),
  activate: (body: Activation): Promise<Policy> => client.call("policy.activate", { body }),
  versions: (cursor: string | undefined, signal?: AbortSignal): Promise<Page<PolicyVersion>> =>
    client.call("policy.versions", { query: { limit: 50, cursor }, signal }),
  /** The main file is kept under its whole path; here it has the name it has in the policy in force. */
  version: async (number: number, signal?: AbortSignal): Promise<readonly PolicyText[]> => {
    const { files } = await client.call("policy.version", { params: { number }, signal });
    return files.map(({ name, text }, index) => ({ name: index === 0 ? "policy.yaml" : name, text }));
  },
  rollBack: (number: number, body: { readonly expected: string; readonly note: string }): Promise<Policy> =>
    client.call("policy.rollback", { params: { number }, body }),
  diff: (from: PolicySide, to: PolicySide, signal?: AbortSignal): Promise<PolicyChanges> =>
    client.call("policy.diff", { body: { from, to }, signal }),
  explain: (body: ExplainInput): Promise<Explanation> => client.call("policy.explain", { body }),
  test: (cases: string, files?: readonly PolicyText[]): Promise<TestReport> =>
    client.call("policy.test", { body: files === undefined ? { cases } : { cases, files } }),
  shadow: async (signal?: AbortSignal): Promise<Shadow | null> =>
    (await client.call("policy.shadow", { signal })).shadow,
  setShadow: (files: readonly PolicyText[]): Promise<PolicyShadow> =>
    client.call("policy.setShadow", { body: { files } }),
  clearShadow: (): Promise<undefined> => client.call("policy.clearShadow"),
  schema: (signal?: AbortSignal): Promise<Readonly<Record<string, unknown>>> =>
    client.call("policy.schema", { signal }),
  tools: async (signal?: AbortSignal): Promise<readonly Tool[]> =>
    (await client.call("tools.list", { signal })).data,
  /** The step a question is about. */
  step: async (runId: string, path: string, signal?: AbortSignal): Promise<StepView | null> => {
    const query = { prefix: path, limit: 5 };
    const page = await client.call("runs.steps", { params: { id: runId }, query, signal });
    return page.data.find((step) => step.path === path) ?? null;
  },
};

/** Events `progress`, `change`, `report`, `end`. A break ends it with the error: what was read so far would be read again. */
export function openDryRun(body: DryRunInput, signal: AbortSignal): ReturnType<Client["stream"]> {
  return client.stream("policy.dryRun", { body, signal, maxTries: 1 });
}
