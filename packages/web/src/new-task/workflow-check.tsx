/** The server's check of a workflow while it is written, and what it found. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState, type ReactElement } from "react";
import { api } from "../api/calls.ts";
import type { CheckResult } from "../api/contract.ts";
import { FindingsList } from "../code-view/findings-list.tsx";
import { formatCount } from "../format/quantity.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";

const checkAfterMs = 400;
const valid = { label: "Valid", tone: "done", glyph: "check" } as const;

export interface Check {
  readonly result: CheckResult | undefined;
  readonly error: unknown;
  readonly isCurrent: boolean;
}

/** Asks the server a moment after the last key press; the last answer stays until the next. */
export function useCheck(text: string): Check {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), checkAfterMs);
    return () => clearTimeout(timer);
  }, [text]);
  const query = useQuery({
    queryKey: ["workflow-check", settled],
    queryFn: ({ signal }) => api.checkWorkflow(settled, signal),
    enabled: settled.trim() !== "",
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const isCurrent = settled === text && query.isSuccess && !query.isPlaceholderData;
  return { result: query.data, error: query.error, isCurrent };
}

/** Why a text may not be run or registered yet; null when it may. */
export function blockedBy(check: Check): string | null {
  if (!check.isCurrent) return "It is being checked.";
  return check.result?.ok === true ? null : "Correct the findings first.";
}

interface VerdictProps {
  readonly result: CheckResult;
  readonly onLine: (line: number, column: number) => void;
}

export function Verdict({ result, onLine }: VerdictProps): ReactElement {
  const count = result.findings.length;
  return (
    <section className="panel panel-body" role="status">
      <h2 className="own-verdict">
        {result.ok && <StateGlyph look={valid} />}
        {result.ok
          ? `Valid${count === 0 ? "" : `, with ${formatCount(count, "warning")}`}`
          : formatCount(count, "finding")}
      </h2>
      <FindingsList findings={result.findings} onLine={onLine} />
    </section>
  );
}
