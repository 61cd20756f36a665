/** The data of a signal as somebody types it: what to begin with, and whether it is JSON yet. Pure. */
import type { JsonValue } from "../api/contract.ts";
import type { StepSignal } from "../api/run-calls.ts";

export type ReadData =
  { readonly kind: "value"; readonly value: JsonValue } | { readonly kind: "broken"; readonly text: string };

const blanks: Readonly<Record<NonNullable<StepSignal["payload"]>[number]["type"], JsonValue>> = {
  string: "",
  number: 0,
  integer: 0,
  boolean: false,
  list: [],
  object: {},
};

/** The members the workflow needs, with empty values of their types; `null` when it takes anything. */
export function signalTemplate(payload: StepSignal["payload"]): string {
  if (payload === null) return "null";
  const needed = payload.filter(({ isNeeded }) => isNeeded);
  return JSON.stringify(Object.fromEntries(needed.map(({ name, type }) => [name, blanks[type]])), null, 2);
}

/** Nothing typed means null. */
export function readSignalData(text: string): ReadData {
  if (text.trim() === "") return { kind: "value", value: null };
  try {
    return { kind: "value", value: JSON.parse(text) as JsonValue };
  } catch (error) {
    return { kind: "broken", text: error instanceof Error ? error.message : String(error) };
  }
}
