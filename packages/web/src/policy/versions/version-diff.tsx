/** Two versions of the policy: what differs in rules, and in lines of each file. */
import { useQueries } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { Loading } from "../../ui/page.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { DiffView } from "../compare/diff-view.tsx";
import { RuleChanges } from "../compare/rule-changes.tsx";
import { changedFiles } from "../edit/draft.ts";
import { versionQuery } from "../policy-queries.ts";

export function VersionDiff({ from, to }: { readonly from: number; readonly to: number }): ReactElement {
  const [before, after] = useQueries({ queries: [versionQuery(from), versionQuery(to)] });
  const error = before.error ?? after.error;
  return (
    <section className="panel panel-body stack version-diff" aria-labelledby="version-diff">
      <h2 id="version-diff">
        From version {from} to version {to}
      </h2>
      {error !== null && <ProblemNotice error={error} />}
      {(before.isPending || after.isPending) && <Loading lines={3} />}
      {before.data !== undefined && after.data !== undefined && (
        <>
          <RuleChanges from={{ version: from }} to={{ version: to }} />
          {changedFiles(before.data, after.data).map((file) => (
            <DiffView key={file.name} before={file.before} after={file.after} label={file.name} />
          ))}
        </>
      )}
    </section>
  );
}
