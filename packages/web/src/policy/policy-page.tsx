/** What agents may do: the policy in force, its editor, its explanation, its shadow, and its past. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { policyQuery } from "../api/queries.ts";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { EditTab } from "./edit/edit-tab.tsx";
import { hasKeptDraft } from "./edit/use-draft.ts";
import { ExplainTab } from "./explain/explain-tab.tsx";
import { InForce } from "./in-force.tsx";
import { policyTabs, type PolicyTab } from "./policy-tabs.ts";
import { CoverageTab } from "./replay/coverage-tab.tsx";
import { ShadowTab } from "./replay/shadow-tab.tsx";
import { VersionsTab } from "./versions/versions-tab.tsx";
import "./policy-page.css";

const route = getRouteApi("/policy");

const labels: Readonly<Record<PolicyTab, string>> = {
  edit: "Edit",
  explain: "Explain",
  shadow: "Shadow",
  coverage: "Coverage",
  versions: "Versions",
};

export function PolicyPage(): ReactElement {
  const { tab } = route.useSearch();
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
          aria-current={tab === undefined ? "page" : undefined}
        >
          In force
        </Link>
        {policyTabs.map((name) => (
          <Link
            key={name}
            className="tab"
            to="/policy"
            search={{ tab: name }}
            activeOptions={{ exact: true }}
            aria-current={tab === name ? "page" : undefined}
          >
            {labels[name]}
            {name === "edit" && tab !== "edit" && hasKeptDraft() && <span className="tab-count">draft</span>}
          </Link>
        ))}
      </Tabs>
      <View tab={tab} />
    </Page>
  );
}

function View({ tab }: { readonly tab: PolicyTab | undefined }): ReactElement {
  const policy = useQuery({ ...policyQuery, refetchInterval: 10_000 });
  if (tab === "explain") return <ExplainTab />;
  if (tab === "shadow") return <ShadowTab />;
  if (policy.isPending) return <Loading lines={8} />;
  if (policy.data === undefined)
    return <ProblemNotice error={policy.error} onRetry={() => void policy.refetch()} />;
  switch (tab) {
    case undefined:
      return <InForce policy={policy.data} />;
    case "edit":
      return <EditTab policy={policy.data} />;
    case "coverage":
      return <CoverageTab policy={policy.data} />;
    case "versions":
      return <VersionsTab policy={policy.data} />;
  }
}
