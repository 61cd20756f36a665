/** What agents may do: the policy that is in force, rule by rule and line by line, and a check for a changed one. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { PolicyView } from "../api/contract.ts";
import { policyQuery } from "../api/queries.ts";
import { CodeView, type LineMark } from "../code-view/code-view.tsx";
import { FindingsList, marksOf } from "../code-view/findings-list.tsx";
import { formatCount } from "../format/quantity.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { Digest } from "../ui/digest.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { effectLooks } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { PolicyCheck } from "./policy-check.tsx";
import { describeRule } from "./rule-text.ts";
import "./policy-page.css";

const route = getRouteApi("/policy");

export function PolicyPage(): ReactElement {
  const { line, tab } = route.useSearch();
  const policy = useQuery(policyQuery);
  return (
    <Page
      title="Policy"
      lead="What agents may do. What no rule allows is denied; of several matching rules the strictest wins."
    >
      <Tabs label="Views of the policy">
        <Link
          className="tab"
          to="/policy"
          search={{}}
          activeOptions={{ exact: true }}
          aria-current={tab ? undefined : "page"}
        >
          In force
        </Link>
        <Link
          className="tab"
          to="/policy"
          search={{ tab: "check" }}
          activeOptions={{ exact: true }}
          aria-current={tab ? "page" : undefined}
        >
          Check a change
        </Link>
      </Tabs>
      {policy.isPending && <Loading lines={8} />}
      {policy.isError && <ProblemNotice error={policy.error} onRetry={() => void policy.refetch()} />}
      {policy.data !== undefined && tab === undefined && <InForce policy={policy.data} line={line} />}
      {policy.data !== undefined && tab === "check" && <PolicyCheck current={policy.data.text} />}
    </Page>
  );
}

interface PolicyProps {
  readonly policy: PolicyView;
  readonly line: number | undefined;
}

function InForce({ policy, line }: PolicyProps): ReactElement {
  const ruleMarks = policy.rules.map<LineMark>((rule) => ({
    line: rule.line,
    tone: effectLooks[rule.effect].tone,
    text: `${rule.name}: ${effectLooks[rule.effect].label.toLowerCase()}`,
  }));
  return (
    <>
      {policy.findings.length > 0 && (
        <section className="panel panel-body">
          <h2>Worth a look</h2>
          <FindingsList findings={policy.findings} />
        </section>
      )}
      <div className="policy">
        <Rules policy={policy} line={line} />
        <section className="panel policy-text">
          <header className="panel-head">
            <h2>
              <code>{policy.path}</code>
            </h2>
            <div className="cluster small quiet">
              revision <Digest value={policy.revision} what="revision" />
              <CopyButton text={policy.text} what="policy" />
            </div>
          </header>
          <CodeView
            text={policy.text}
            label="Text of the policy"
            marks={[...marksOf(policy.findings), ...ruleMarks]}
            maxHeight={780}
            {...(line === undefined ? {} : { line })}
          />
        </section>
      </div>
    </>
  );
}

function Rules({ policy, line }: PolicyProps): ReactElement {
  return (
    <section className="panel policy-rules">
      <header className="panel-head">
        <h2>{formatCount(policy.rules.length, "rule")}</h2>
      </header>
      <ol>
        {policy.rules.map((rule) => (
          <li key={`${rule.name}:${rule.line}`} data-current={rule.line === line}>
            <Link
              to="/policy"
              search={{ line: rule.line }}
              resetScroll={false}
              className="policy-rule"
              activeOptions={{ exact: true }}
            >
              {rule.name}
            </Link>
            <StateBadge look={effectLooks[rule.effect]} />
            <p className="quiet small">{describeRule(rule)}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}
