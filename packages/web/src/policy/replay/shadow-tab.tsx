/** The policy that runs beside the one in force: how often it would decide otherwise, with samples, and its end. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { policyApi, type Shadow } from "../../api/policy-calls.ts";
import { sessionQuery } from "../../api/queries.ts";
import { formatCount } from "../../format/quantity.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Digest } from "../../ui/digest.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Ago } from "../../ui/moment.tsx";
import { Loading } from "../../ui/page.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { EffectChange } from "../effect-change.tsx";
import { policyKeys, shadowQuery } from "../policy-queries.ts";
import { Prose } from "../../ui/prose.tsx";
import "./dry-run-panel.css";

export function ShadowTab(): ReactElement {
  const shadow = useQuery(shadowQuery);
  if (shadow.isPending) return <Loading lines={3} />;
  if (shadow.isError) return <ProblemNotice error={shadow.error} onRetry={() => void shadow.refetch()} />;
  if (shadow.data === null) {
    return (
      <EmptyState title="No shadow policy">
        <p>
          A shadow is asked about every action, beside the policy in force, and decides nothing. Write a
          change under{" "}
          <Link to="/policy" search={{ tab: "edit" }}>
            Edit
          </Link>{" "}
          and choose “Run as shadow” to see on live work what it would change.
        </p>
      </EmptyState>
    );
  }
  return <Running shadow={shadow.data} />;
}

function Running({ shadow }: { readonly shadow: Shadow }): ReactElement {
  const different = shadow.changes.reduce((sum, { count }) => sum + count, 0);
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>A shadow policy runs</h2>
        <ClearButton />
      </header>
      <div className="panel-body stack dry-body">
        <p className="small quiet">
          {formatCount(shadow.rules, "rule")}, revision{" "}
          <Digest value={shadow.revision} what="revision" withCopy={false} />, set by {shadow.by}{" "}
          <Ago time={shadow.setAt} />
        </p>
        <p role="status">
          <b>{formatCount(different, "action")}</b> of {formatCount(different + shadow.same, "action")} since
          then would be decided otherwise.
        </p>
        {different === 0 && (
          <p className="quiet small">
            {shadow.same === 0
              ? "No action has come yet; counts appear within seconds."
              : "So far both agree on everything."}
          </p>
        )}
        {shadow.changes.map((change) => (
          <details className="dry-group" key={`${change.from} ${change.to}`} open>
            <summary>
              <EffectChange from={change.from} to={change.to} />
              <b>{formatCount(change.count, "action")}</b>
              <span className="quiet small">{formatCount(change.samples.length, "newest sample")}</span>
            </summary>
            <ul>
              {change.samples.map((sample, index) => (
                <li key={`${sample.at} ${index}`}>
                  <p>
                    <code>{sample.action}</code> on <code>{sample.resource || "nothing named"}</code>
                  </p>
                  <p className="quiet small">
                    <Prose text={sample.reason} />
                  </p>
                  <p className="quiet small">
                    {sample.agent}, <Ago time={sample.at} />
                  </p>
                </li>
              ))}
            </ul>
          </details>
        ))}
      </div>
    </section>
  );
}

function ClearButton(): ReactElement {
  const client = useQueryClient();
  const announce = useAnnounce();
  const isAdmin = useQuery(sessionQuery).data?.role === "admin";
  const [isAsking, setAsking] = useState(false);
  const clear = useMutation({
    mutationFn: () => policyApi.clearShadow(),
    onSuccess: () => {
      client.setQueryData(policyKeys.shadow, null);
      announce("The shadow policy is gone");
    },
  });
  return (
    <>
      <Button disabled={!isAdmin} onClick={() => setAsking(true)}>
        Take it away
      </Button>
      {isAsking && (
        <Dialog title="Take the shadow policy away?" onClose={() => setAsking(false)}>
          <p>Its counts and samples go with it.</p>
          {clear.isError && <ProblemNotice error={clear.error} />}
          <div className="dialog-actions">
            <Button data-autofocus onClick={() => setAsking(false)}>
              Keep it
            </Button>
            <Button look="danger" busy={clear.isPending} onClick={() => clear.mutate()}>
              Take it away
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
