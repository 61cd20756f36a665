/** Reads the form of a made-up action into what the API takes, or says what is wrong with it. Pure. */
import type { ExplainInput } from "../../api/policy-calls.ts";

export interface ExplainForm {
  readonly action: string;
  readonly resource: string;
  /** JSON; empty for none. */
  readonly args: string;
  readonly labels: readonly Label[];
  readonly agent: string;
  readonly role: string;
  readonly tenant: string;
  readonly user: string;
}

export const labels = ["user", "operator", "agent", "web", "mail", "file", "tool", "mcp"] as const;
export type Label = (typeof labels)[number];

export const emptyForm: ExplainForm = {
  action: "file_ops.delete",
  resource: "workspace/old.txt",
  args: "",
  labels: [],
  agent: "workflow:example",
  role: "operator",
  tenant: "",
  user: "",
};

export type ReadForm =
  { readonly ok: true; readonly input: ExplainInput } | { readonly ok: false; readonly message: string };

export function readForm(form: ExplainForm): ReadForm {
  const args = readArguments(form.args);
  if (typeof args === "string") return { ok: false, message: args };
  const { action, resource, agent, role, tenant, user } = form;
  return {
    ok: true,
    input: {
      action: action.trim(),
      resource: resource.trim(),
      args,
      labels: form.labels,
      role,
      ...given("agent", agent),
      ...given("tenant", tenant),
      ...given("user", user),
    },
  };
}

/** The object, or what is wrong. */
function readArguments(text: string): Readonly<Record<string, unknown>> | string {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
    return 'The arguments are not an object. Write them in braces, as in { "path": "a.txt" }.';
  } catch (error) {
    return `The arguments are no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function given<Name extends string>(name: Name, value: string): Partial<Record<Name, string>> {
  return value.trim() === "" ? {} : ({ [name]: value.trim() } as Record<Name, string>);
}
