/** Stands in for a page that threw, or whose code could not be fetched because the server was away or has been upgraded. */
import type { ErrorComponentProps } from "@tanstack/react-router";
import { useEffect, type ReactElement } from "react";
import { nowMs } from "../live/now.ts";
import { useStreamState } from "../live/live-updates.tsx";
import { Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { isMissingCode, mayReload } from "./missing-code.ts";

const storageKey = "homeostat.reloaded-at";

export function BrokenPage({ error, reset }: ErrorComponentProps): ReactElement {
  const stream = useStreamState();
  const isMissing = isMissingCode(error);
  useEffect(() => {
    if (!isMissing || stream !== "live") return;
    const lastMs = Number(sessionStorage.getItem(storageKey));
    if (!mayReload(lastMs, nowMs())) return;
    sessionStorage.setItem(storageKey, String(nowMs()));
    window.location.reload();
  }, [isMissing, stream]);
  if (isMissing) {
    return (
      <Page title="This page could not be fetched" lead="It loads by itself as soon as the server answers.">
        <p>
          <a href={window.location.href}>Load it now</a>
        </p>
      </Page>
    );
  }
  return (
    <Page title="Something went wrong">
      <ProblemNotice error={error} onRetry={reset} />
    </Page>
  );
}
