/** What a verification found: the verdict first, then each check, then every finding by place. */
import type { ReactElement } from "react";
import type { VerifyReport } from "../api/contract.ts";
import { formatDuration } from "../format/duration.ts";
import { formatCount } from "../format/quantity.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { LongDigest } from "../ui/digest.tsx";
import type { StateLook } from "../ui/state.ts";
import "./verify-report.css";

const intact: StateLook = { label: "Intact", tone: "done", glyph: "check" };
const broken: StateLook = { label: "Broken", tone: "failed", glyph: "octagon" };

export function VerifyReportView({ report }: { readonly report: VerifyReport }): ReactElement {
  const look = report.verdict === "intact" ? intact : broken;
  return (
    <section className="panel report" data-tone={look.tone} role="status" aria-label="Verification">
      <header className="report-head">
        <StateGlyph look={look} size={30} />
        <div>
          <h2>{look.label}</h2>
          <p>
            {report.text}
            <span className="quiet"> {formatDuration(report.durationMs)}</span>
          </p>
        </div>
      </header>
      {report.findings.length > 0 && (
        <ul className="report-findings">
          {report.findings.map((finding, index) => (
            <li key={index}>
              <strong>{finding.what}</strong> <code>{finding.where}</code>
              <p>{finding.detail}</p>
            </li>
          ))}
        </ul>
      )}
      <Checks checks={report.checks} />
      <dl className="facts report-facts">
        <dt>Tree</dt>
        <dd>
          {formatCount(report.size, "entry", "entries")}
          {report.pending > 0 && `, ${report.pending} not yet published`}
          {report.erased > 0 && `, ${report.erased} bodies erased on purpose`}
        </dd>
        <dt>Root</dt>
        <dd>
          <LongDigest value={report.root} what="root" />
        </dd>
        <dt>Witnessed</dt>
        <dd>
          {report.witnessedTo === null
            ? "never"
            : `up to entry ${report.witnessedTo.toLocaleString("en-GB")}`}
        </dd>
      </dl>
    </section>
  );
}

function Checks({ checks }: Pick<VerifyReport, "checks">): ReactElement {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Check</th>
          <th scope="col" className="report-count">
            Looked at
          </th>
          <th scope="col">Result</th>
        </tr>
      </thead>
      <tbody>
        {checks.map((check) => (
          <tr key={check.name}>
            <td>
              <span className="report-name">
                <StateGlyph look={check.ok ? intact : broken} label={check.ok ? "Passed" : "Failed"} />
                {check.name}
              </span>
            </td>
            <td className="report-count">{check.count.toLocaleString("en-GB")}</td>
            <td className="quiet">{check.detail}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
