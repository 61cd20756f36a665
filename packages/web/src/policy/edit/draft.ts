/** A policy that is being written: what it began with and what it says now. Kept for as long as the tab lives. */
import type { Policy, PolicyText } from "../../api/policy-calls.ts";

export interface Draft {
  /** The revision in force when the draft began, or when it was last brought together with it. */
  readonly revision: string;
  readonly base: readonly PolicyText[];
  readonly files: readonly PolicyText[];
}

const storageKey = "homeostat.policy-draft";

type Storage = Pick<globalThis.Storage, "getItem" | "setItem" | "removeItem">;

export function draftOf({ revision, files }: Pick<Policy, "revision" | "files">): Draft {
  return { revision, base: files, files };
}

export function withText(draft: Draft, name: string, text: string): Draft {
  return { ...draft, files: draft.files.map((file) => (file.name === name ? { name, text } : file)) };
}

export function isChanged({ base, files }: Pick<Draft, "base" | "files">): boolean {
  return changedFiles(base, files).length > 0;
}

/** Whether the policy in force is another than the draft began with. Comments count too: they are in no revision. */
export function isBehind(draft: Draft, { revision, files }: Pick<Policy, "revision" | "files">): boolean {
  return draft.revision !== revision || changedFiles(draft.base, files).length > 0;
}

/** Every file that differs; the text of a side that has it not is empty. */
export function changedFiles(
  base: readonly PolicyText[],
  files: readonly PolicyText[],
): readonly { readonly name: string; readonly before: string; readonly after: string }[] {
  const names = [...new Set([...base, ...files].map(({ name }) => name))];
  return names
    .map((name) => ({ name, before: textOf(base, name), after: textOf(files, name) }))
    .filter(({ before, after }) => before !== after);
}

export function textOf(files: readonly PolicyText[], name: string): string {
  return files.find((file) => file.name === name)?.text ?? "";
}

/** False when the browser keeps nothing (private window, full): the page then warns before it is left. */
export function keepDraft(storage: Storage, draft: Draft): boolean {
  try {
    storage.setItem(storageKey, JSON.stringify(draft));
    return true;
  } catch {
    // Storage is full or forbidden; the draft still lives in the page.
    return false;
  }
}

export function dropDraft(storage: Storage): void {
  try {
    storage.removeItem(storageKey);
  } catch {
    // Forbidden storage has nothing to remove.
  }
}

/** Undefined when none is kept, or what is kept is of another version's shape. */
export function findDraft(storage: Storage): Draft | undefined {
  try {
    const kept: unknown = JSON.parse(storage.getItem(storageKey) ?? "null");
    return isDraft(kept) ? kept : undefined;
  } catch {
    return undefined;
  }
}

function isDraft(value: unknown): value is Draft {
  if (typeof value !== "object" || value === null) return false;
  const { revision, base, files } = value as Partial<Record<keyof Draft, unknown>>;
  return typeof revision === "string" && areTexts(base) && areTexts(files);
}

function areTexts(value: unknown): value is readonly PolicyText[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (file: Partial<PolicyText> | null) => typeof file?.name === "string" && typeof file.text === "string",
    )
  );
}
