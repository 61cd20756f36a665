/** What was in force: who activated it, when and why; any two side by side; and the way back. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import type { Policy, PolicyVersion } from "../../api/policy-calls.ts";
import { formatCount } from "../../format/quantity.ts";
import { Button } from "../../ui/button.tsx";
import { Digest } from "../../ui/digest.tsx";
import { Exact } from "../../ui/moment.tsx";
import { Loading } from "../../ui/page.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { versionsQuery } from "../policy-queries.ts";
import { RollBackButton } from "./roll-back-button.tsx";
import { VersionDiff } from "./version-diff.tsx";
import "./versions-tab.css";

export function VersionsTab({ policy }: { readonly policy: Policy }): ReactElement {
  const query = useInfiniteQuery(versionsQuery);
  const [chosen, setChosen] = useState<{ readonly from?: number; readonly to?: number }>({});
  if (query.isPending) return <Loading lines={4} />;
  if (query.isError) return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
  const versions = query.data.pages.flatMap(({ data }) => data);
  const to = chosen.to ?? versions[0]?.number;
  const from = chosen.from ?? versions[1]?.number;
  return (
    <div className="stack">
      <section className="panel versions" aria-label="Versions">
        <div className="versions-scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col">Version</th>
                <th scope="col">Activated</th>
                <th scope="col">By</th>
                <th scope="col">Why</th>
                <th scope="col">
                  <span className="visually-hidden">Roll back</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {versions.map((version) => (
                <Row
                  key={version.number}
                  version={version}
                  isFrom={from === version.number}
                  isTo={to === version.number}
                  onChoose={(side) => setChosen({ ...chosen, [side]: version.number })}
                  policy={policy}
                />
              ))}
            </tbody>
          </table>
        </div>
        {query.hasNextPage && (
          <div className="panel-body">
            <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              Older versions
            </Button>
          </div>
        )}
      </section>
      {from === undefined || to === undefined ? (
        <p className="quiet small">With the next change of the policy there is something to compare.</p>
      ) : (
        <VersionDiff from={from} to={to} />
      )}
    </div>
  );
}

interface RowProps {
  readonly version: PolicyVersion;
  readonly isFrom: boolean;
  readonly isTo: boolean;
  readonly onChoose: (side: "from" | "to") => void;
  readonly policy: Policy;
}

function Row({ version, isFrom, isTo, onChoose, policy }: RowProps): ReactElement {
  const { number } = version;
  return (
    <tr>
      <td>
        <input
          type="radio"
          name="version-from"
          checked={isFrom}
          aria-label={`Compare from version ${number}`}
          onChange={() => onChoose("from")}
        />
      </td>
      <td>
        <input
          type="radio"
          name="version-to"
          checked={isTo}
          aria-label={`Compare to version ${number}`}
          onChange={() => onChoose("to")}
        />
      </td>
      <td>
        <span className="cluster">
          <b>{number}</b>
          {version.isActive && (
            <span className="chip" data-tone="done">
              In force
            </span>
          )}
        </span>
        <span className="quiet small">
          {formatCount(version.rules, "rule")},{" "}
          <Digest value={version.revision} what="revision" withCopy={false} />
        </span>
      </td>
      <td className="small">
        <Exact time={version.at} />
      </td>
      <td className="small">{version.by ?? <span className="quiet">change of the files</span>}</td>
      <td className="small versions-note">{version.note ?? <span className="quiet">–</span>}</td>
      <td>{!version.isActive && <RollBackButton version={version} policy={policy} />}</td>
    </tr>
  );
}
