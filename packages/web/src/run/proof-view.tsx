/** Proves this run: its journal against the ledger, its artifacts against their digests. */
import { useMutation } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { api } from "../api/calls.ts";
import type { RunDetail } from "../api/contract.ts";
import { VerifyReportView } from "../ledger/verify-report.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { Icon } from "../ui/icon.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import "./proof-view.css";

export function ProofView({ run }: { readonly run: RunDetail }): ReactElement {
  const verify = useMutation({ mutationFn: () => api.verify(run.id) });
  return (
    <div className="stack">
      <section className="panel proof">
        <div className="proof-text">
          <h2>Is this what really happened?</h2>
          <p className="quiet">
            Each of the {run.headSeq} events of the journal carries a digest over all before it, and the
            ledger holds the head of every one. Verifying walks that chain again, finds each head in the
            signed tree and hashes the artifacts on disk. One changed byte is named.
          </p>
          <CommandLine command={`homeostat verify --run ${run.id}`} />
        </div>
        <Button look="primary" size="large" busy={verify.isPending} onClick={() => verify.mutate()}>
          <Icon name="ledger" />
          {verify.isPending ? "Verifying" : verify.data === undefined ? "Verify this run" : "Verify again"}
        </Button>
      </section>
      {verify.isError && <ProblemNotice error={verify.error} />}
      {verify.data !== undefined && <VerifyReportView report={verify.data} />}
    </div>
  );
}
