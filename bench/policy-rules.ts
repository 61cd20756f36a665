/** Rules and requests for the policy bench: the same on every machine, and plain enough for every engine to say them. */
import type { ActionRequest } from "../packages/server/src/policy/rules/decision.ts";

export type Shape = "below" | "exact" | "extension" | "folder" | "extension-below";

export interface GeneratedRule {
  readonly name: string;
  readonly effect: "allow" | "ask" | "deny";
  /** `*` for any. */
  readonly action: string;
  readonly shape: Shape;
  /** The folder, file, extension or folder name that the shape is about. */
  readonly subject: string;
  /** The glob that says the same. */
  readonly resource: string;
  /** Argument `sizeBytes` above this. */
  readonly above: number | null;
  /** Agents whose id begins so. */
  readonly agent: string | null;
  readonly label: "web" | "file" | null;
}

export interface Generated {
  readonly rules: readonly GeneratedRule[];
  readonly requests: readonly ActionRequest[];
  /** Files of at most 1,000 rules. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

const seed = 20_251_121;
const actions = ["file_ops.read", "file_ops.write", "file_ops.delete", "http.get", "code_exec.run"];
const teams = ["design", "finance", "legal", "research", "sales", "support"];
const agents = ["workflow:audit-1", "workflow:report-1", "workflow:sync-1"];

/**
 * 30 % deny, 20 % ask, 50 % allow; 15 % on any action; 55 % below a folder, 15 % exact, 10 % an extension anywhere, 10 % a
 * folder anywhere, 10 % an extension below a folder. 20 % carry a condition on an argument, half of these a scope, half a
 * label. Half of the requests are made to hit some rule's folder.
 */
export function generate(size: number, requestCount: number): Generated {
  const random = createRandom(seed + size);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const folder = (): string => `workspace/${pick(teams)}/project${Math.floor(random() * size)}`;
  const rules = Array.from({ length: size }, (_, index): GeneratedRule => {
    const [chance, shaped] = [random(), random()];
    const isNarrow = random() < 0.2;
    return {
      name: `rule-${index}`,
      effect: chance < 0.3 ? "deny" : chance < 0.5 ? "ask" : "allow",
      action: random() < 0.15 ? "*" : pick(actions),
      ...placeOf(shaped, index, folder()),
      above: isNarrow ? Math.floor(random() * 1_000) : null,
      agent: isNarrow && random() < 0.5 ? pick(["workflow:audit-", "workflow:report-"]) : null,
      label: isNarrow && random() < 0.5 ? pick(["web", "file"] as const) : null,
    };
  });
  const requests = Array.from({ length: requestCount }, (_, index): ActionRequest => {
    const leaf = pick([
      `a/b/file${index}.cfg`,
      `report${index}.txt`,
      `x.ext${index % size}`,
      `folder${index % size}/y.md`,
    ]);
    return {
      action: pick(actions),
      resource: random() < 0.5 ? `${folder()}/${leaf}` : `other/${pick(teams)}/${leaf}`,
      args: { sizeBytes: Math.floor(random() * 1_000), path: leaf },
      labels: pick([["operator"], ["operator", "web"], ["file", "user"]]),
      agent: pick(agents),
      role: "operator",
      tenant: "default",
    };
  });
  return { rules, requests, files: filesOf(rules) };
}

function placeOf(
  shaped: number,
  index: number,
  folder: string,
): Pick<GeneratedRule, "shape" | "subject" | "resource"> {
  if (shaped < 0.15) {
    const subject = `${folder}/report${index}.txt`;
    return { shape: "exact", subject, resource: subject };
  }
  if (shaped < 0.25) return { shape: "extension", subject: `.ext${index}`, resource: `**/*.ext${index}` };
  if (shaped < 0.35) return { shape: "folder", subject: `folder${index}`, resource: `**/folder${index}/**` };
  if (shaped < 0.45) return { shape: "extension-below", subject: folder, resource: `${folder}/**/*.cfg` };
  return { shape: "below", subject: folder, resource: `${folder}/**` };
}

function filesOf(rules: readonly GeneratedRule[]): Generated["files"] {
  return Array.from({ length: Math.ceil(rules.length / 1_000) }, (_, index) => ({
    name: index === 0 ? "policy.yaml" : `policy.d/part-${index}.yaml`,
    text: `version: 1\nrules:\n${rules
      .slice(index * 1_000, (index + 1) * 1_000)
      .map(yamlOf)
      .join("")}`,
  }));
}

function yamlOf({ name, effect, action, resource, above, agent, label }: GeneratedRule): string {
  const lines = [
    `  - name: ${name}`,
    `    effect: ${effect}`,
    `    action: ${action === "*" ? '"*"' : action}`,
    `    resource: ${resource.startsWith("*") ? `"${resource}"` : resource}`,
    ...(above === null ? [] : [`    where: [{ arg: sizeBytes, op: gt, value: ${above} }]`]),
    ...(agent === null ? [] : [`    scope: { agent: "${agent}*" }`]),
    ...(label === null ? [] : [`    labels_any: [${label}]`]),
  ];
  return `${lines.join("\n")}\n`;
}

/** Mulberry32: the same numbers on every machine. */
export function createRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
