/** Which rules are ever used: by recorded actions, and by a table of test cases. */
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { policyApi, type Policy, type TestReport } from "../../api/policy-calls.ts";
import { CodeEditor } from "../../code-view/code-editor.tsx";
import { formatCount } from "../../format/quantity.ts";
import { Button } from "../../ui/button.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { Progress } from "../../ui/progress.tsx";
import { effectLooks, stepLooks } from "../../ui/state.ts";
import { StateBadge, StateGlyph } from "../../ui/state-glyph.tsx";
import { coverageRows, type CoverageRow } from "./coverage-rows.ts";
import { PeriodField } from "./period-field.tsx";
import { useDryRun } from "./use-dry-run.ts";
import "./coverage-tab.css";

const exampleCases = `version: 1
cases:
  - name: reads are free
    action: file_ops.read
    resource: workspace/a.txt
    expect: allow
  - name: deletes ask a person
    action: file_ops.delete
    resource: workspace/a.txt
    expect: ask
`;

export function CoverageTab({ policy }: { readonly policy: Policy }): ReactElement {
  const [since, setSince] = useState("30d");
  const [cases, setCases] = useState(exampleCases);
  const history = useDryRun();
  const test = useMutation({ mutationFn: () => policyApi.test(cases) });
  const { report, kind } = history.state;
  const rows = coverageRows(policy.rules, { hits: report?.rules, missed: test.data?.coverage.missed });
  return (
    <div className="coverage">
      <section className="panel">
        <header className="panel-head">
          <h2>Rules in use</h2>
          <div className="cluster">
            <PeriodField value={since} onChange={setSince} />
            <Button
              icon="play"
              busy={kind === "running"}
              onClick={() => history.start({ since, against: "active", examples: 0 })}
            >
              Count on history
            </Button>
          </div>
        </header>
        {kind === "running" && (
          <div className="panel-body">
            <Progress
              done={history.state.runs}
              total={history.state.runsTotal}
              tone="moving"
              label="Runs read"
            />
          </div>
        )}
        {kind === "failed" && <ProblemNotice error={history.state.error} />}
        <Summary rows={rows} actions={report?.actions} />
        <Rules rows={rows} />
      </section>
      <section className="stack">
        <h2>Test cases</h2>
        <CodeEditor label="Table of cases" value={cases} onChange={setCases} minLines={16} />
        <div className="cluster">
          <Button
            icon="check"
            busy={test.isPending}
            disabled={cases.trim() === ""}
            onClick={() => test.mutate()}
          >
            Run the cases
          </Button>
          <span className="quiet small">
            In a terminal: <code>homeostat policy test CASES</code>
          </span>
        </div>
        {test.isError && <ProblemNotice error={test.error} />}
        {test.data !== undefined && <Results report={test.data} />}
      </section>
    </div>
  );
}

interface SummaryProps {
  readonly rows: readonly CoverageRow[];
  readonly actions: number | undefined;
}

function Summary({ rows, actions }: SummaryProps): ReactElement {
  const unused = rows.filter(({ isUnused }) => isUnused).length;
  const isCounted = rows.some(({ hits, isTested }) => hits !== null || isTested !== null);
  return (
    <p className="coverage-summary small" role="status">
      {!isCounted && "Count on history or run the cases to see which rules nothing ever reaches."}
      {isCounted && (
        <>
          <b>{formatCount(unused, "rule")}</b> of {rows.length} never hit
          {actions !== undefined && `; ${formatCount(actions, "recorded action")} looked at`}.
        </>
      )}
    </p>
  );
}

function Rules({ rows }: { readonly rows: readonly CoverageRow[] }): ReactElement {
  return (
    <div className="coverage-table" tabIndex={0} role="region" aria-label="Use of each rule">
      <table>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Effect</th>
            <th scope="col">History</th>
            <th scope="col">Cases</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={`${row.file ?? ""}:${row.line}:${row.name}`}
              data-tone={row.isUnused ? "waiting" : undefined}
            >
              <td>
                {row.file === null ? (
                  <Link to="/policy" search={{ line: row.line }}>
                    {row.name}
                  </Link>
                ) : (
                  row.name
                )}
                {row.isUnused && <span className="chip coverage-never">never hit</span>}
              </td>
              <td>
                <StateBadge look={effectLooks[row.effect]} />
              </td>
              <td>
                {row.hits === null ? (
                  <span className="quiet">not counted</span>
                ) : (
                  row.hits.toLocaleString("en-GB")
                )}
              </td>
              <td>
                {row.isTested === null ? (
                  <span className="quiet">not run</span>
                ) : row.isTested ? (
                  "hit"
                ) : (
                  "not hit"
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Results({ report }: { readonly report: TestReport }): ReactElement {
  return (
    <div className="stack coverage-results" role="status">
      <p>
        <b>{formatCount(report.passed, "case")}</b> passed, <b>{report.failed}</b> failed;{" "}
        {Math.round(report.coverage.percent)} % of the rules hit.
      </p>
      <ul>
        {report.cases.map((each) => (
          <li key={`${each.line}:${each.name}`}>
            <StateGlyph
              look={each.ok ? stepLooks.completed : stepLooks.failed}
              label={each.ok ? "Passed" : "Failed"}
            />
            <div>
              <p>
                {each.name} <span className="quiet">line {each.line}</span>
              </p>
              {each.problems.map((problem) => (
                <p className="quiet" key={problem}>
                  {problem}
                </p>
              ))}
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}
