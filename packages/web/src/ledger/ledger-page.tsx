/** The proof about the whole runtime: how large, under which root, seen by whom, and whether it is whole. */
import { useMutation, useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { api } from "../api/calls.ts";
import type { LedgerState } from "../api/contract.ts";
import { ledgerQuery } from "../api/queries.ts";
import { formatCount } from "../format/quantity.ts";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { LongDigest } from "../ui/digest.tsx";
import { Icon } from "../ui/icon.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { LedgerEntries } from "./ledger-entries.tsx";
import { TreePicture } from "./tree-picture.tsx";
import { VerifyReportView } from "./verify-report.tsx";
import "./ledger-page.css";

export function LedgerPage(): ReactElement {
  const ledger = useQuery(ledgerQuery);
  const verify = useMutation({ mutationFn: () => api.verify() });
  return (
    <Page
      title="Ledger"
      lead="Every fact, appended to one signed Merkle tree. Nothing in it can change without a trace."
      actions={
        <Button look="primary" busy={verify.isPending} onClick={() => verify.mutate()}>
          <Icon name="ledger" size={15} />
          {verify.isPending ? "Verifying" : "Verify now"}
        </Button>
      }
    >
      {verify.isError && <ProblemNotice error={verify.error} onRetry={() => verify.mutate()} />}
      {verify.data !== undefined && <VerifyReportView report={verify.data} />}
      {ledger.isPending && <Loading />}
      {ledger.isError && <ProblemNotice error={ledger.error} onRetry={() => void ledger.refetch()} />}
      {ledger.data !== undefined && (
        <>
          <State ledger={ledger.data} />
          <LedgerEntries size={ledger.data.size} />
        </>
      )}
    </Page>
  );
}

function State({ ledger }: { readonly ledger: LedgerState }): ReactElement {
  return (
    <div className="ledger-state">
      <section className="panel ledger-tree">
        <div>
          <p className="ledger-size">{ledger.size.toLocaleString("en-GB")}</p>
          <p className="quiet">
            {ledger.size === 1 ? "entry" : "entries"}
            {ledger.pending > 0 && `, ${formatCount(ledger.pending, "more", "more")} on the way`}
          </p>
        </div>
        <TreePicture size={ledger.size} />
        <dl className="facts">
          <dt>Root</dt>
          <dd>{ledger.size === 0 ? "none yet" : <LongDigest value={ledger.root} what="root" />}</dd>
          <dt>Signed</dt>
          <dd>
            <Ago time={ledger.lastCheckpointAt} />
          </dd>
          <dt>Witnessed</dt>
          <dd>
            <Witnessed ledger={ledger} />
          </dd>
        </dl>
      </section>
      <section className="panel ledger-checkpoint">
        <header>
          <h2>Checkpoint</h2>
          <CopyButton text={ledger.checkpoint} what="checkpoint" />
        </header>
        <pre tabIndex={0} aria-label="Checkpoint">
          {ledger.checkpoint}
        </pre>
        <header>
          <h2>Verifier key</h2>
          <CopyButton text={ledger.verifierKey} what="verifier key" />
        </header>
        <pre tabIndex={0} aria-label="Verifier key">
          {ledger.verifierKey}
        </pre>
        <p className="quiet small">
          Keep both elsewhere. With them anyone can show later, without this machine, whether the ledger was
          rewritten:
        </p>
        <CommandLine command="homeostat verify" />
      </section>
    </div>
  );
}

function Witnessed({ ledger }: { readonly ledger: LedgerState }): ReactElement {
  if (ledger.witnessedTo !== null) {
    return <>up to entry {ledger.witnessedTo.toLocaleString("en-GB")} by a party outside of this machine</>;
  }
  return (
    <>
      never witnessed
      <p className="quiet small">
        Only this machine has signed it. Whoever holds its key could write a different past; a checkpoint kept
        elsewhere rules that out.
      </p>
    </>
  );
}
