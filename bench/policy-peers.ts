/** The engines the policy bench compares with, each given the same rules in its own words, and each prepared beforehand. */
import { createRequire } from "node:module";
import type { ActionRequest } from "../packages/server/src/policy/rules/decision.ts";
import type { GeneratedRule } from "./policy-rules.ts";

export type Effect = "allow" | "ask" | "deny";
/** `matched`: every rule that matched, when the engine can say all of them. */
export type Judge = (request: ActionRequest) => {
  readonly effect: Effect;
  readonly matched?: readonly { readonly name: string }[];
};

export type Picomatch = (pattern: string, options: { readonly dot: boolean }) => (text: string) => boolean;

/** A peer lives in bench/node_modules and brings no types that we need: what is used of it is declared here. */
export async function load<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}

/** The simplest correct judge: precompiled picomatch, one rule after the other. What all others are compared with. */
export async function createScan(rules: readonly GeneratedRule[]): Promise<Judge> {
  const { default: picomatch } = await load<{ readonly default: Picomatch }>("picomatch");
  const compiled = rules.map((rule) => ({ rule, matches: picomatch(rule.resource, { dot: true }) }));
  return (request) => {
    const matched: { readonly name: string }[] = [];
    let effect: Effect | undefined;
    for (const { rule, matches } of compiled) {
      if (rule.action !== "*" && rule.action !== request.action) continue;
      if (!holds(rule, request) || !matches(request.resource)) continue;
      matched.push(rule);
      if (effect === undefined || rule.effect === "deny" || (rule.effect === "ask" && effect === "allow"))
        effect = rule.effect;
    }
    return { effect: effect ?? "deny", matched };
  };
}

/** The parts of a rule besides action and resource. */
function holds({ above, agent, label }: GeneratedRule, request: ActionRequest): boolean {
  return (
    (above === null || Number(request.args["sizeBytes"]) > above) &&
    (agent === null || request.agent.startsWith(agent)) &&
    (label === null || request.labels.includes(label))
  );
}

interface Cedar {
  preparsePolicySet(id: string, policies: object): { readonly type: string; readonly errors?: unknown };
  statefulIsAuthorized(call: object): {
    readonly type: string;
    readonly response?: {
      readonly decision: string;
      readonly diagnostics: { readonly reason: readonly string[] };
    };
  };
}

/** Cedar has no ask: it is a permit whose id says so. Policies are parsed once. */
export function createCedar(rules: readonly GeneratedRule[]): Judge {
  const cedar = createRequire(import.meta.url)("@cedar-policy/cedar-wasm/nodejs") as Cedar;
  const id = `rules-${rules.length}`;
  const staticPolicies = Object.fromEntries(
    rules.map((rule) => [`${rule.effect}-${rule.name}`, cedarText(rule)]),
  );
  const parsed = cedar.preparsePolicySet(id, { staticPolicies });
  if (parsed.type !== "success") throw new Error(`Cedar refuses the rules: ${JSON.stringify(parsed.errors)}`);
  return ({ action, resource, args, agent, labels }) => {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: "Agent", id: agent },
      action: { type: "Action", id: action },
      resource: { type: "Resource", id: "it" },
      context: { resource, agent, sizeBytes: args["sizeBytes"], labels },
      preparsedPolicySetId: id,
      entities: [],
    });
    if (answer.response === undefined) throw new Error(`Cedar gives no answer: ${JSON.stringify(answer)}`);
    const { decision, diagnostics } = answer.response;
    if (decision === "deny") return { effect: "deny" };
    return { effect: diagnostics.reason.some((reason) => reason.startsWith("ask-")) ? "ask" : "allow" };
  };
}

function cedarText(rule: GeneratedRule): string {
  const { action, effect, above, agent, label } = rule;
  const conditions = [
    cedarResource(rule),
    ...(above === null ? [] : [`context.sizeBytes > ${above}`]),
    ...(agent === null ? [] : [`context.agent like "${agent}*"`]),
    ...(label === null ? [] : [`context.labels.contains("${label}")`]),
  ];
  const head = action === "*" ? "action" : `action == Action::"${action}"`;
  return `${effect === "deny" ? "forbid" : "permit"}(principal, ${head}, resource) when { ${conditions.join(" && ")} };`;
}

function cedarResource({ shape, subject }: GeneratedRule): string {
  switch (shape) {
    case "exact":
      return `context.resource == "${subject}"`;
    case "below":
      return `(context.resource == "${subject}" || context.resource like "${subject}/*")`;
    case "extension":
      return `context.resource like "*${subject}"`;
    case "folder":
      return `(context.resource like "*/${subject}/*" || context.resource like "${subject}/*" || context.resource like "*/${subject}")`;
    case "extension-below":
      return `context.resource like "${subject}/*.cfg"`;
  }
}

interface Casbin {
  newModelFromString(text: string): object;
  newEnforcer(
    model: object,
    adapter: object,
  ): Promise<{
    addFunction(name: string, call: (...given: never[]) => unknown): Promise<void>;
    enforceSync(...request: unknown[]): boolean;
  }>;
  StringAdapter: new (text: string) => object;
}

const casbinModel = `
[request_definition]
r = act, obj, ctx
[policy_definition]
p = eft, act, obj, cond
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = (p.act == "*" || r.act == p.act) && globMatch(r.obj, p.obj) && (p.cond == "-" || holds(r.ctx, p.cond))
`;

/** Casbin has no ask either and names no reasons: ask counts as allow. */
export async function createCasbin(rules: readonly GeneratedRule[]): Promise<Judge> {
  const { newEnforcer, newModelFromString, StringAdapter } = await load<Casbin>("casbin");
  const byName = new Map(rules.map((rule) => [rule.name, rule]));
  const lines = rules.map(({ effect, action, resource, above, name }) => {
    return `p, ${effect === "deny" ? "deny" : "allow"}, ${action}, ${resource}, ${above === null ? "-" : name}`;
  });
  const enforcer = await newEnforcer(newModelFromString(casbinModel), new StringAdapter(lines.join("\n")));
  await enforcer.addFunction("holds", (request: ActionRequest, name: string) =>
    holds(byName.get(name)!, request),
  );
  return (request) => ({
    effect: enforcer.enforceSync(request.action, request.resource, request) ? "allow" : "deny",
  });
}
