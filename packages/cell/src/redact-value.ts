/** Redaction of whole values: a plain copy in which members are judged by their name before their text. */
import { skipScheme } from "./assignments.ts";
import { passwordMark } from "./marks.ts";
import type { Mark } from "./marks.ts";
import { isPlaceholder } from "./placeholders.ts";
import { isAuthMethod, sensitiveNameBefore } from "./sensitive-names.ts";
import type { NameTable } from "./sensitive-names.ts";

export interface ValueRedaction {
  text(s: string): string;
  isWanted(mark: Mark): boolean;
  readonly names: NameTable;
  readonly maxDepth: number;
  readonly maxNodes: number;
}

interface Walk extends ValueRedaction {
  /** The objects on the way from the root: a member that is one of them closes a cycle. */
  readonly path: Set<object>;
  nodes: number;
}

/** Throws only what members of `value` throw. */
export function redactValue(value: unknown, redaction: ValueRedaction): unknown {
  return redactAny(value, { ...redaction, path: new Set(), nodes: 0 });
}

function redactAny(value: unknown, walk: Walk): unknown {
  switch (typeof value) {
    case "string":
      return walk.text(value);
    case "number":
    case "bigint":
      return redactNumber(value, walk);
    case "boolean":
    case "undefined":
      return value;
    case "function":
      return "[FUNCTION]";
    case "symbol":
      return "[SYMBOL]";
    case "object":
      return value === null ? null : redactObject(value, walk);
  }
}

/** Only card numbers are numbers; every shorter one is settled by one comparison. */
function redactNumber(value: number | bigint, { text }: Walk): unknown {
  if (value < 100_000_000_000) return value;
  const digits = String(value);
  return text(digits) === digits ? value : text(digits);
}

function redactObject(value: object, walk: Walk): unknown {
  if (walk.path.has(value)) return "[CIRCULAR]";
  if (walk.path.size >= walk.maxDepth) return "[TOO_DEEP]";
  walk.path.add(value);
  const copy = copyObject(value, walk);
  walk.path.delete(value);
  return copy;
}

function copyObject(value: object, walk: Walk): unknown {
  if (Array.isArray(value)) return copyList(value, walk);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Map)
    return copyMembers(
      [...value].map(([key, item]) => [String(key), item]),
      walk,
    );
  if (value instanceof Set) return copyList([...value], walk);
  if (ArrayBuffer.isView(value)) return `[BINARY ${value.byteLength} bytes]`;
  if (value instanceof ArrayBuffer) return `[BINARY ${value.byteLength} bytes]`;
  if (value instanceof RegExp || value instanceof Promise) return `[${value.constructor.name}]`;
  if (value instanceof Error) return copyMembers([...errorMembers(value), ...Object.entries(value)], walk);
  if ("toJSON" in value && typeof value.toJSON === "function") return redactAny(value.toJSON(""), walk);
  return copyMembers(Object.entries(value), walk);
}

/** What an Error keeps where `Object.entries` does not look. */
function errorMembers(error: Error): [string, unknown][] {
  const members: [string, unknown][] = [
    ["name", error.name],
    ["message", error.message],
    ["stack", error.stack],
  ];
  if (error.cause !== undefined) members.push(["cause", error.cause]);
  return members;
}

/** The item after `"--token"` or `"authorization"` is that option's or header's value. */
function copyList(list: readonly unknown[], walk: Walk): unknown[] {
  const copy: unknown[] = [];
  for (const [index, item] of list.entries()) {
    if ((walk.nodes += 1) > walk.maxNodes) {
      copy.push("[TOO_LARGE]");
      break;
    }
    const mark = index === 0 ? undefined : announcedBy(list[index - 1], walk);
    copy.push(mark === undefined ? redactAny(item, walk) : redactNamed(item, mark, walk));
  }
  return copy;
}

function announcedBy(previous: unknown, walk: Walk): Mark | undefined {
  if (typeof previous !== "string" || previous.length > 64) return undefined;
  if (!previous.startsWith("--") && !/^(proxy-)?authorization$|^(set-)?cookie$|^x-[a-z-]+$/i.test(previous))
    return undefined;
  return markOf(previous, walk);
}

function copyMembers(members: readonly (readonly [string, unknown])[], walk: Walk): object {
  const copy: Record<string, unknown> = {};
  const pairMark = pairedMark(members, walk);
  for (const [name, member] of members) {
    if ((walk.nodes += 1) > walk.maxNodes) {
      copy["[TOO_LARGE]"] = true;
      break;
    }
    const mark = pairMark !== undefined && name === "value" ? pairMark : nameMark(name, walk);
    // defineProperty, because a member may be called `__proto__`.
    Object.defineProperty(copy, walk.text(name), {
      value:
        mark === undefined || saysMethod(name, member, walk)
          ? redactAny(member, walk)
          : redactNamed(member, mark, walk),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copy;
}

function saysMethod(name: string, member: unknown, { names }: Walk): boolean {
  const sensitive = sensitiveNameBefore(name, name.length, names);
  return sensitive !== undefined && typeof member === "string" && isAuthMethod(sensitive, member);
}

/** `{ name: "DB_PASSWORD", value: "x" }`, as environments, headers and forms are listed. */
function pairedMark(members: readonly (readonly [string, unknown])[], walk: Walk): Mark | undefined {
  if (members.length > 16) return undefined;
  for (const [name, member] of members) {
    if ((name !== "name" && name !== "key") || typeof member !== "string") continue;
    return markOf(member, walk);
  }
  return undefined;
}

function nameMark(name: string, walk: Walk): Mark | undefined {
  const singular = /^(?:secrets|passwords|.*tokens)$/i.test(name) ? name.slice(0, -1) : name;
  return markOf(singular, walk);
}

function markOf(name: string, { names, isWanted }: Walk): Mark | undefined {
  const mark = sensitiveNameBefore(name, name.length, names)?.mark;
  return mark !== undefined && isWanted(mark) ? mark : undefined;
}

/** What stands under a sensitive name: every string below it is masked, and numbers only where a number can be a password. */
function redactNamed(value: unknown, mark: Mark, walk: Walk): unknown {
  if (typeof value === "string") {
    // `Bearer secret://name` shows which secret is meant, and holds none.
    return isPlaceholder(value, skipScheme(value, 0), value.length) ? walk.text(value) : mark;
  }
  if (typeof value === "number" || typeof value === "bigint")
    return mark === passwordMark ? mark : redactNumber(value, walk);
  if (typeof value !== "object" || value === null) return redactAny(value, walk);
  const copy = redactObject(value, walk);
  return maskStrings(copy, mark);
}

/** `copy` is our own plain copy: finite, without cycles. */
function maskStrings(copy: unknown, mark: Mark): unknown {
  if (typeof copy === "string") return isPlaceholder(copy, 0, copy.length) ? copy : mark;
  if (Array.isArray(copy)) return copy.map((item) => maskStrings(item, mark));
  if (typeof copy !== "object" || copy === null) return copy;
  return Object.fromEntries(Object.entries(copy).map(([name, member]) => [name, maskStrings(member, mark)]));
}
