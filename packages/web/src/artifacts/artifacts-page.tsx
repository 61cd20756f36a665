/** Every artifact of every run, newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useDeferredValue, useId, useState, type ReactElement } from "react";
import { artifactListQuery } from "../api/queries.ts";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { ArtifactGrid } from "./artifact-grid.tsx";
import "./artifacts-page.css";

const route = getRouteApi("/artifacts");

export function ArtifactsPage(): ReactElement {
  const { id } = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const list = useInfiniteQuery(artifactListQuery);
  const all = list.data?.pages.flatMap((page) => page.data) ?? [];
  const found = all.filter((row) =>
    [row.path, row.title, row.mediaType, row.sha256, row.runId].join(" ").toLowerCase().includes(wanted),
  );
  const open = (next: string | undefined): void => {
    void navigate({ search: next === undefined ? {} : { id: next }, resetScroll: false });
  };
  return (
    <Page title="Artifacts" lead="Files that runs have written, each with its digest, version and origin.">
      {all.length > 0 && <Search text={text} onText={setText} />}
      {list.isPending && <Loading lines={5} />}
      {list.isError && <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && all.length === 0 && (
        <section className="panel">
          <EmptyState title="No artifacts yet" picture={<Icon name="artifacts" size={44} />}>
            <p>
              What a step writes into its workspace is registered here. The example writes a report and a
              chart:
            </p>
            <CommandLine command="homeostat run examples/brand-audit --wait" />
          </EmptyState>
        </section>
      )}
      {all.length > 0 && found.length === 0 && <EmptyState title="No artifact matches">{null}</EmptyState>}
      <ArtifactGrid artifacts={found} openId={id} onOpen={open} />
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} icon="down" onClick={() => void list.fetchNextPage()}>
          Older artifacts
        </Button>
      )}
    </Page>
  );
}

function Search({
  text,
  onText,
}: {
  readonly text: string;
  readonly onText: (text: string) => void;
}): ReactElement {
  const id = useId();
  return (
    <div className="search-field artifacts-search">
      <Icon name="search" size={14} />
      <label htmlFor={id} className="visually-hidden">
        Search the artifacts
      </label>
      <input
        id={id}
        type="search"
        className="input"
        placeholder="Name, type, digest"
        value={text}
        onChange={(event) => onText(event.target.value)}
      />
    </div>
  );
}
