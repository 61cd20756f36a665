/** The draft of this tab: kept with every change, guarded when the tab is closed, checked as it is typed. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { policyApi, type CheckedPolicy, type Policy, type PolicyText } from "../../api/policy-calls.ts";
import {
  draftOf,
  dropDraft,
  findDraft,
  isBehind,
  isChanged,
  keepDraft,
  withText,
  type Draft,
} from "./draft.ts";

export interface DraftHandle {
  readonly draft: Draft;
  readonly isChanged: boolean;
  readonly write: (name: string, text: string) => void;
  readonly replace: (draft: Draft) => void;
  /** Begins anew with this policy. */
  readonly restart: (policy: Policy) => void;
}

export function useDraft(policy: Policy): DraftHandle {
  const [draft, setDraft] = useState(() => findDraft(sessionStorage) ?? draftOf(policy));
  const hasChanged = isChanged(draft);
  // A draft without changes follows the policy in force.
  if (!hasChanged && isBehind(draft, policy)) setDraft(draftOf(policy));
  useEffect(() => {
    if (!hasChanged) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [hasChanged]);
  const replace = (next: Draft): void => {
    if (isChanged(next)) keepDraft(sessionStorage, next);
    else dropDraft(sessionStorage);
    setDraft(next);
  };
  return {
    draft,
    isChanged: hasChanged,
    replace,
    write: (name, text) => replace(withText(draft, name, text)),
    restart: (fresh) => replace(draftOf(fresh)),
  };
}

/** Whether this tab keeps a changed draft. */
export function hasKeptDraft(): boolean {
  const draft = findDraft(sessionStorage);
  return draft !== undefined && isChanged(draft);
}

const restMs = 350;

/** What the check says of the files once typing has rested; the last answer stays until the next. */
export function useCheck(files: readonly PolicyText[]): {
  readonly checked: CheckedPolicy | undefined;
  readonly error: Error | null;
  /** True while the answer is of older files. */
  readonly isOld: boolean;
} {
  const [rested, setRested] = useState(files);
  useEffect(() => {
    const timer = setTimeout(() => setRested(files), restMs);
    return () => clearTimeout(timer);
  }, [files]);
  const check = useQuery({
    queryKey: ["policy", "check", rested],
    queryFn: ({ signal }) => policyApi.check(rested, signal),
    placeholderData: (before) => before,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });
  return { checked: check.data, error: check.error, isOld: rested !== files || check.isPlaceholderData };
}
