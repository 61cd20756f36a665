/** The policy in force, rule by rule and line by line. */
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { PolicyRule, PolicyView } from "../api/contract.ts";
import { CodeView, type LineMark } from "../code-view/code-view.tsx";
import { FindingsList, marksOf } from "../code-view/findings-list.tsx";
import { formatCount } from "../format/quantity.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { Digest } from "../ui/digest.tsx";
import { effectLooks } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import { textOf } from "./edit/draft.ts";
import { findingsOf } from "./edit/findings-of.ts";
import { describeRule } from "./rule-text.ts";

const route = getRouteApi("/policy");

export function InForce({ policy }: { readonly policy: PolicyView }): ReactElement {
  const { line, file } = route.useSearch();
  const names = policy.files.map(({ name }) => name);
  const name = file !== undefined && names.includes(file) ? file : (names[0] ?? "policy.yaml");
  const marks = policy.rules
    .filter((rule) => (rule.file ?? names[0]) === name)
    .map<LineMark>((rule) => ({
      line: rule.line,
      tone: effectLooks[rule.effect].tone,
      text: `${rule.name}: ${effectLooks[rule.effect].label.toLowerCase()}`,
    }));
  const text = textOf(policy.files, name);
  return (
    <>
      {policy.findings.length > 0 && (
        <section className="panel panel-body">
          <h2>Worth a look</h2>
          <FindingsList findings={policy.findings} />
        </section>
      )}
      <div className="policy">
        <Rules rules={policy.rules} line={line} file={file ?? null} />
        <section className="panel policy-text">
          <header className="panel-head">
            <h2>
              <code>{name === names[0] ? policy.path : name}</code>
            </h2>
            <div className="cluster small quiet">
              revision <Digest value={policy.revision} what="revision" />
              <CopyButton text={text} what="policy" />
            </div>
          </header>
          <CodeView
            text={text}
            label="Text of the policy"
            marks={[...marksOf(findingsOf(policy.findings, { name, names })), ...marks]}
            maxHeight={780}
            {...(line === undefined ? {} : { line })}
          />
        </section>
      </div>
    </>
  );
}

interface RulesProps {
  readonly rules: readonly PolicyRule[];
  readonly line: number | undefined;
  readonly file: string | null;
}

function Rules({ rules, line, file }: RulesProps): ReactElement {
  return (
    <section className="panel policy-rules">
      <header className="panel-head">
        <h2>{formatCount(rules.length, "rule")}</h2>
      </header>
      <ol>
        {rules.map((rule) => (
          <li
            key={`${rule.file ?? ""}:${rule.name}:${rule.line}`}
            data-current={rule.line === line && rule.file === file}
          >
            <Link
              to="/policy"
              search={rule.file === null ? { line: rule.line } : { line: rule.line, file: rule.file }}
              resetScroll={false}
              className="policy-rule"
              activeOptions={{ exact: true }}
            >
              {rule.name}
            </Link>
            <StateBadge look={effectLooks[rule.effect]} />
            <p className="quiet small" title={describeRule(rule)}>
              {describeRule(rule)}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
