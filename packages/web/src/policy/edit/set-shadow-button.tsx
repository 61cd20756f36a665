/** Lets a draft run beside the policy in force: it is asked about every action and decides nothing. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { policyApi, type PolicyText } from "../../api/policy-calls.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Button } from "../../ui/button.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { policyKeys } from "../policy-queries.ts";

interface Props {
  readonly files: readonly PolicyText[];
  readonly isReady: boolean;
}

export function SetShadowButton({ files, isReady }: Props): ReactElement {
  const client = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const set = useMutation({
    mutationFn: () => policyApi.setShadow(files),
    onSuccess: ({ shadow }) => {
      client.setQueryData(policyKeys.shadow, shadow);
      announce("The draft runs as shadow");
      void navigate({ to: "/policy", search: { tab: "shadow" } });
    },
  });
  return (
    <>
      <Button disabled={!isReady} busy={set.isPending} onClick={() => set.mutate()}>
        Run as shadow
      </Button>
      {set.isError && <ProblemNotice error={set.error} />}
    </>
  );
}
