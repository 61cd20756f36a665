/** Opens the dialog that makes a new run of a run. */
import { lazy, Suspense, useState, type ReactElement } from "react";
import type { RunDetail } from "../api/contract.ts";
import type { NewRunPoint } from "../api/run-calls.ts";
import { Button } from "../ui/button.tsx";

/** It reads the workflow's YAML, which the page itself does not need. */
const RunAgainDialog = lazy(async () => ({
  default: (await import("./run-again-dialog.tsx")).RunAgainDialog,
}));

interface Props {
  readonly run: RunDetail;
  readonly point: NewRunPoint;
  readonly label?: string;
}

export function AgainButton({ run, point, label }: Props): ReactElement {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button icon={point.kind === "fork" ? "branch" : "retry"} onClick={() => setOpen(true)}>
        {label ?? (point.kind === "fork" ? "Fork" : "Run again")}
      </Button>
      {isOpen && (
        <Suspense fallback={null}>
          <RunAgainDialog run={run} point={point} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
