/** Handles: `secret://name` stands for a value that agents, journal and approvals never see. Pure. */
import type { JsonValue } from "../base/canonical-json.ts";

/** `version` is undefined while the handle means "the newest". */
export interface Handle {
  readonly name: string;
  readonly version: number | undefined;
}

/** What a secret may be called. */
export const secretNamePattern: RegExp = /^[a-z][a-z0-9_-]{0,63}$/;

/** A handle anywhere in a text, such as `Bearer secret://token`. Names have no dots, so a sentence may end behind one. */
const handlePattern = /secret:\/\/([a-z][a-z0-9_-]{0,63})(?:@([1-9][0-9]{0,8}))?/g;

/** Gives the text that stands for a handle; `whole` is the string it was found in. */
export type Replace = (handle: Handle, whole: string) => string;

export function handleText({ name, version }: Handle): string {
  return version === undefined ? `secret://${name}` : `secret://${name}@${version}`;
}

/** Every handle in the strings of a value, member names included, each once, in order of appearance. */
export function findHandles(value: JsonValue): readonly Handle[] {
  const found = new Map<string, Handle>();
  replaceHandles(value, (handle) => {
    found.set(handleText(handle), handle);
    return handleText(handle);
  });
  return [...found.values()];
}

/** A copy in which `replace` has put another text for each handle; the value itself when it holds none. */
export function replaceHandles<Value extends JsonValue>(value: Value, replace: Replace): Value {
  // Strings stay strings and structures keep their shape, so the type of the whole does not change.
  return replaceAny(value, replace) as Value;
}

function replaceAny(value: JsonValue, replace: Replace): JsonValue {
  if (typeof value === "string") return replaceInText(value, replace);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => replaceAny(item as JsonValue, replace));
  const copy: Record<string, JsonValue> = {};
  for (const [name, member] of Object.entries(value)) {
    // defineProperty, because a member may be called `__proto__`.
    Object.defineProperty(copy, replaceInText(name, replace), {
      value: replaceAny(member as JsonValue, replace),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copy;
}

function replaceInText(text: string, replace: Replace): string {
  if (!text.includes("secret://")) return text;
  return text.replace(handlePattern, (_, name: string, version: string | undefined) =>
    replace({ name, version: version === undefined ? undefined : Number(version) }, text),
  );
}
