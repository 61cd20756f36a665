/** What the list shows on a fresh installation: one click or one command to the first run. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { api } from "../api/calls.ts";
import { examplesQuery } from "../api/queries.ts";
import { Logo } from "../shell/logo.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

export function FirstRun(): ReactElement {
  const navigate = useNavigate();
  const example = useQuery(examplesQuery).data?.[0];
  const start = useMutation({
    mutationFn: (name: string) => api.submit({ example: name }),
    onSuccess: (run) => void navigate({ to: "/runs/$runId", params: { runId: run.id }, search: {} }),
  });
  return (
    <section className="panel">
      <EmptyState title="Nothing has run yet" picture={<Logo size={56} />}>
        {example === undefined ? (
          <p>Give Homeostat a workflow and watch it work, step by step.</p>
        ) : (
          <>
            <p>{example.description}</p>
            <Button
              look="primary"
              size="large"
              icon="play"
              busy={start.isPending}
              onClick={() => start.mutate(example.name)}
            >
              Run {example.name}
            </Button>
          </>
        )}
        <p>
          or from a terminal in the repository, or with <Link to="/new">a workflow of your own</Link>
        </p>
        <CommandLine command={`homeostat run examples/${example?.name ?? "brand-audit"} --wait`} />
        {start.isError && <ProblemNotice error={start.error} />}
      </EmptyState>
    </section>
  );
}
