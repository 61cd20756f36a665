/** What isolation this machine was measured to give, check by check, and the command that would raise it. */
import type { ReactElement } from "react";
import type { SandboxReport } from "../api/contract.ts";
import { CommandLine } from "../ui/command-line.tsx";
import { StateBadge, StateGlyph } from "../ui/state-glyph.tsx";
import type { StateLook } from "../ui/state.ts";

const levels: Readonly<
  Record<SandboxReport["level"], { readonly look: StateLook; readonly meaning: string }>
> = {
  full: {
    look: { label: "Full isolation", tone: "done", glyph: "check" },
    meaning:
      "Programs run in namespaces of their own, with seccomp, a user of their own and hard limits by cgroup.",
  },
  standard: {
    look: { label: "Standard isolation", tone: "done", glyph: "check" },
    meaning:
      "Programs run in user namespaces with seccomp and resource limits; a watchdog takes the place of cgroups.",
  },
  none: {
    look: { label: "No native isolation", tone: "waiting", glyph: "diamond" },
    meaning:
      "Only pure JavaScript runs, inside QuickJS. Steps in other languages are refused, never run unprotected.",
  },
};

const passed: StateLook = { label: "Passed", tone: "done", glyph: "check" };
const failed: StateLook = { label: "Failed", tone: "failed", glyph: "octagon" };

export function SandboxPanel({ report }: { readonly report: SandboxReport }): ReactElement {
  const level = levels[report.level];
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>Sandbox</h2>
        <StateBadge look={level.look} />
      </header>
      <div className="sandbox">
        <div className="stack">
          <p>{level.meaning}</p>
          {report.remedy !== undefined && (
            <div className="sandbox-remedy">
              <p className="small">To raise the level:</p>
              <CommandLine command={report.remedy} />
            </div>
          )}
          <dl className="facts">
            <dt>Tiers</dt>
            <dd>{report.tiers.length === 0 ? "none" : report.tiers.join(", ")}</dd>
            <dt>Control groups</dt>
            <dd>{report.cgroup}</dd>
            {report.languages.map((language) => (
              <Language key={language.id} language={language} />
            ))}
          </dl>
        </div>
        <ul className="sandbox-checks">
          {report.checks.map((check) => (
            <li key={check.name}>
              <StateGlyph look={check.ok ? passed : failed} label={check.ok ? "Passed" : "Failed"} />
              <div>
                {check.name}
                <p className="quiet small">{check.detail}</p>
              </div>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function Language({ language }: { readonly language: SandboxReport["languages"][number] }): ReactElement {
  const tiers = language.tiers.length === 0 ? "" : ` in ${language.tiers.join(", ")}`;
  return (
    <>
      <dt>{language.id}</dt>
      <dd>{language.available ? `${language.version ?? "available"}${tiers}` : "not available"}</dd>
    </>
  );
}
