/** What runs may use without seeing it, and who may use this server: secrets and API keys. */
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Page } from "../ui/page.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { ApiKeyList } from "./api-key-list.tsx";
import { SecretList } from "./secret-list.tsx";
import "./secrets-page.css";

const route = getRouteApi("/secrets");

export function SecretsPage(): ReactElement {
  const { tab } = route.useSearch();
  return (
    <Page
      title={tab === "keys" ? "API keys" : "Secrets"}
      lead={
        tab === "keys"
          ? "Who besides the admin may use this server, and in which role."
          : "What actions may use without a run ever seeing it. Values go in and never come out."
      }
    >
      <Tabs label="Secrets and keys">
        <Link
          className="tab"
          to="/secrets"
          search={{}}
          activeOptions={{ exact: true }}
          aria-current={tab === undefined ? "page" : undefined}
        >
          Secrets
        </Link>
        <Link
          className="tab"
          to="/secrets"
          search={{ tab: "keys" }}
          aria-current={tab === "keys" ? "page" : undefined}
        >
          API keys
        </Link>
      </Tabs>
      {tab === "keys" ? <ApiKeyList /> : <SecretList />}
    </Page>
  );
}
