/** Two runs beside each other: what differs in text, inputs, outcome, step by step and in artifacts. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { runDiffQuery, type RunDiff } from "../api/run-calls.ts";
import { formatCount, shortDigest, shortId } from "../format/quantity.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { runLooks } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import { RunPicker } from "./run-picker.tsx";
import { StepDifferences } from "./step-differences.tsx";
import { ValueDifferences } from "./value-differences.tsx";
import "./compare-page.css";

const route = getRouteApi("/compare");

export function ComparePage(): ReactElement {
  const { a, b } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page
      title="Compare two runs"
      lead="Text, inputs, outcome, each step, artifacts: only what differs is shown."
    >
      <div className="compare-pick">
        <RunPicker
          label="A"
          value={a}
          onChange={(id) => void navigate({ search: (search) => ({ ...search, a: id }), replace: true })}
        />
        <RunPicker
          label="B"
          value={b}
          near={a}
          onChange={(id) => void navigate({ search: (search) => ({ ...search, b: id }), replace: true })}
        />
      </div>
      {a !== undefined && b !== undefined ? (
        <Difference a={a} b={b} />
      ) : (
        <EmptyState title="Choose two runs">
          <p>Of one workflow, most often: a run and the one made again from it.</p>
        </EmptyState>
      )}
    </Page>
  );
}

function Difference({ a, b }: { readonly a: string; readonly b: string }): ReactElement {
  const query = useQuery(runDiffQuery(a, b));
  if (query.isPending) return <Loading lines={6} />;
  if (query.isError) return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
  const diff = query.data;
  return (
    <div className="stack">
      <Heads diff={diff} />
      {isNothing(diff) && (
        <EmptyState title="Nothing differs">
          <p>{formatCount(diff.stepsSame, "step")} did the same with the same result.</p>
        </EmptyState>
      )}
      {diff.inputs.length > 0 && (
        <Section title="Inputs">
          <ValueDifferences of="inputs" differences={diff.inputs} />
        </Section>
      )}
      {diff.outcome.length > 0 && (
        <Section title="Outcome">
          <ValueDifferences of="outcome" differences={diff.outcome} />
        </Section>
      )}
      {diff.workflow.length > 0 && (
        <Section title="Workflow">
          <WorkflowLines lines={diff.workflow} />
        </Section>
      )}
      {diff.pins.length > 0 && (
        <Section title="Pinned versions">
          <ValueDifferences of="pinned versions" differences={diff.pins} />
        </Section>
      )}
      {diff.stepsDiffer > 0 && (
        <Section
          title="Steps"
          aside={`${formatCount(diff.stepsDiffer, "step differs", "steps differ")}, ${diff.stepsSame} the same`}
        >
          <StepDifferences a={a} b={b} steps={diff.steps} />
          {diff.stepsDiffer > diff.steps.length && (
            <p className="panel-body quiet small">
              The first {diff.steps.length} are shown; <code>homeostat diff A B --json</code> gives as many.
            </p>
          )}
        </Section>
      )}
      {diff.artifacts.length > 0 && (
        <Section title="Artifacts">
          <Artifacts artifacts={diff.artifacts} />
        </Section>
      )}
    </div>
  );
}

function isNothing(diff: RunDiff): boolean {
  return (
    diff.stepsDiffer === 0 &&
    [diff.inputs, diff.outcome, diff.workflow, diff.pins, diff.artifacts].every((part) => part.length === 0)
  );
}

function Heads({ diff }: { readonly diff: RunDiff }): ReactElement {
  return (
    <div className="compare-heads">
      {(["a", "b"] as const).map((sideName) => {
        const run = diff.runs[sideName];
        return (
          <div className="panel compare-head" key={sideName}>
            <span className="compare-side">{sideName.toUpperCase()}</span>
            <div>
              <Link to="/runs/$runId" params={{ runId: run.id }} search={{}}>
                {run.workflow.name} <code>{shortId(run.id)}</code>
              </Link>
              <p className="quiet small">
                by {run.requester}, <Ago time={run.createdAt} />
              </p>
            </div>
            <StateBadge look={runLooks[run.state]} />
          </div>
        );
      })}
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly aside?: string;
  readonly children: ReactNode;
}

function Section({ title, aside, children }: SectionProps): ReactElement {
  return (
    <section className="panel" aria-label={title}>
      <header className="panel-head">
        <h2>{title}</h2>
        {aside !== undefined && <span className="quiet small">{aside}</span>}
      </header>
      {children}
    </section>
  );
}

function WorkflowLines({ lines }: { readonly lines: RunDiff["workflow"] }): ReactElement {
  return (
    <ol className="compare-lines" tabIndex={0} aria-label="Lines of the workflow that differ">
      {lines.map((line) => (
        <li key={`${line.kind} ${line.line}`} data-tone={line.kind === "added" ? "done" : "failed"}>
          <span className="compare-number">{line.line}</span>
          <span className="visually-hidden">{line.kind === "added" ? "only in B" : "only in A"}</span>
          <code>
            {line.kind === "added" ? "+" : "−"} {line.text}
          </code>
        </li>
      ))}
    </ol>
  );
}

function Artifacts({ artifacts }: { readonly artifacts: RunDiff["artifacts"] }): ReactElement {
  return (
    <div className="compare-scroll" tabIndex={0} role="region" aria-label="Artifacts that differ">
      <table>
        <thead>
          <tr>
            <th scope="col">Path</th>
            <th scope="col">A</th>
            <th scope="col">B</th>
          </tr>
        </thead>
        <tbody>
          {artifacts.map(({ path, a, b }) => (
            <tr key={path}>
              <th scope="row">
                <code>{path}</code>
              </th>
              <td>{a === null ? <span className="quiet">not there</span> : <code>{shortDigest(a)}</code>}</td>
              <td>{b === null ? <span className="quiet">not there</span> : <code>{shortDigest(b)}</code>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
