/** Puts the levels of limits under the rule they belong to. Pure. */
import type { Limits } from "../api/operations-calls.ts";
import { formatSpan } from "../format/duration.ts";

export type LimitRule = Limits["configured"][number];

/** One counted subject of a limit. */
export interface LimitLevel {
  /** Whose actions: the key without the rule's name; `all` for one that counts everybody together. */
  readonly whose: string;
  readonly used: number;
  readonly count: number;
  /** What else is worth knowing, `2 turned away`, or empty. */
  readonly note: string;
  /** When a quota begins anew. */
  readonly endsAt: string | null;
}

export interface LimitGroup {
  readonly name: string;
  /** `20 per 1 h of each user`. */
  readonly text: string;
  readonly levels: readonly LimitLevel[];
}

/** Rules of the configuration in their order, then what policy rules or built-in places count. */
export function groupLimits(limits: Limits): readonly LimitGroup[] {
  const levels = levelsOf(limits);
  const configured = limits.configured.map((rule) => ({
    name: rule.name,
    text: ruleText(rule),
    levels: levels
      .filter(({ key }) => belongs(key, rule.name))
      .map(({ key, ...level }) => ({
        ...level,
        whose: key.slice(rule.name.length + 1) || "all",
      })),
  }));
  const others = levels.filter(({ key }) => !limits.configured.some((rule) => belongs(key, rule.name)));
  if (others.length === 0) return configured;
  const rest = others.map(({ key, note, ...level }) => {
    const rule = policyRate(key);
    if (rule === undefined) return { ...level, note, whose: key };
    return { ...level, whose: rule.whose, note: note === "" ? rule.rate : `${rule.rate}, ${note}` };
  });
  return [...configured, { name: "Others", text: "of policy rules and built in", levels: rest }];
}

/** Keys of a policy rule's own rate are `policy/TENANT/AGENT/ACTION/COUNT/MILLISECONDS`. */
function policyRate(key: string): { readonly whose: string; readonly rate: string } | undefined {
  const [kind, tenant, ...rest] = key.split("/");
  const [action, count, perMs] = rest.slice(-3);
  if (kind !== "policy" || rest.length < 4 || !/^\d+$/.test(perMs ?? "")) return undefined;
  const agent = rest.slice(0, -3).join("/");
  return { whose: `${tenant}/${agent} ${action}`, rate: `${count} per ${formatSpan(Number(perMs))}` };
}

export function ruleText({ of, action, count, per }: LimitRule): string {
  const whose = of === "all" ? "together" : `of each ${of}`;
  const what = action === "*" ? "actions" : action;
  if (per === "at once") return `${count} ${what} at once, ${whose}`;
  const time = /^\d+$/.test(per) ? formatSpan(Number(per)) : per;
  return `${count} ${what} per ${time}, ${whose}`;
}

function belongs(key: string, name: string): boolean {
  return key === name || key.startsWith(`${name}/`);
}

type KeyedLevel = Omit<LimitLevel, "whose"> & { readonly key: string };

function levelsOf({ buckets, quotas, bulkheads, processes }: Limits): readonly KeyedLevel[] {
  const isOne = processes.length < 2;
  const sumOf = (several: number | null): readonly string[] => {
    if (isOne) return [];
    if (several === null) return ["one for all processes"];
    return several === 1 ? ["in one process"] : [`sum of ${several} processes`];
  };
  return [
    ...buckets.map(({ key, left, count, processes: several }) => ({
      ...{ key, count, used: count - Math.max(0, Math.floor(left)) },
      ...{ note: sumOf(several).join(""), endsAt: null },
    })),
    ...quotas.map(({ key, used, count, endsAt }) => ({ key, used, count, endsAt, note: "" })),
    ...bulkheads.map(({ key, inUse, atOnce, waiting, line, refused, processes: several }) => ({
      ...{ key, used: inUse, count: atOnce, endsAt: null },
      note: [
        ...sumOf(several),
        ...(waiting === 0 ? [] : [`${waiting} of ${line} in line`]),
        ...(refused === 0 ? [] : [`${refused} turned away`]),
      ].join(", "),
    })),
  ];
}
