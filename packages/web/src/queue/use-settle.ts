/** Tries dead letters again or gives them up, and asks for the lists again afterwards. */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import {
  operationsApi,
  type DeadLetterFilter,
  type Settled,
  type SettleAction,
} from "../api/operations-calls.ts";
import { operationKeys } from "../api/operations-queries.ts";
import { keys } from "../api/queries.ts";
import { useAnnounce } from "../ui/announcer.tsx";

export interface Settlement {
  readonly action: SettleAction;
  /** `all`: everything that fits the filter. */
  readonly ids: readonly string[] | "all";
  readonly reason?: string;
}

/** `onDone` is called once after every answer, also when some of them failed. */
export function useSettle(
  filter: DeadLetterFilter,
  onDone: () => void,
): UseMutationResult<Settled & { readonly action: SettleAction }, Error, Settlement> {
  const client = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: async ({ action, ids, reason }) => {
      const which = ids === "all" ? { all: true, ...withoutEmpty(filter) } : { ids };
      const why = reason === undefined || reason === "" ? {} : { reason };
      return { action, ...(await operationsApi.settleDeadLetters(action, { ...which, ...why })) };
    },
    onSuccess: ({ action, done, failed }) => {
      void client.invalidateQueries({ queryKey: operationKeys.queue });
      void client.invalidateQueries({ queryKey: keys.status });
      const words = action === "retry" ? `${done} back in the queue` : `${done} discarded`;
      announce(failed === 0 ? words : `${words}, ${failed} failed`, failed === 0 ? {} : { tone: "waiting" });
      onDone();
    },
  });
}

function withoutEmpty({ workflow, code, since }: DeadLetterFilter): DeadLetterFilter {
  return {
    ...(workflow === undefined ? {} : { workflow }),
    ...(code === undefined ? {} : { code }),
    ...(since === undefined ? {} : { since }),
  };
}
