/** Who has an API key; makes and revokes them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { operationsApi, type ApiKey, type EndedApiKey } from "../api/operations-calls.ts";
import { rememberedQuery } from "../api/inbox-calls.ts";
import { apiKeysQuery, operationKeys } from "../api/operations-queries.ts";
import { sessionQuery } from "../api/queries.ts";
import { useNow } from "../live/now.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Ago, Exact } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { CreateKey } from "./create-key.tsx";
import { keyState } from "./key-expiry.ts";

export function ApiKeyList(): ReactElement {
  const isAdmin = useQuery(sessionQuery).data?.role === "admin";
  return isAdmin ? (
    <Keys />
  ) : (
    <EmptyState title="Only an admin sees the keys">
      <p>Sign in with the admin's token, or ask an admin for a key of your own.</p>
    </EmptyState>
  );
}

function Keys(): ReactElement {
  const [isCreating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const keys = useQuery(apiKeysQuery);
  const create = (
    <Button look="primary" icon="plus" onClick={() => setCreating(true)}>
      Make a key
    </Button>
  );
  return (
    <>
      {keys.isPending && <Loading />}
      {keys.isError && <ProblemNotice error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.data?.length === 0 && (
        <EmptyState title="Nobody has a key but the admin">
          <p>
            A key lets a program or a person use the API and this dashboard in one role, under a name of their
            own.
          </p>
          {create}
          <CommandLine command="homeostat key create ada --role approver" />
        </EmptyState>
      )}
      {keys.data !== undefined && keys.data.length > 0 && (
        <section className="panel api-keys" aria-label="API keys">
          <header className="panel-head">
            <h2>{keys.data.length === 1 ? "1 key" : `${keys.data.length} keys`}</h2>
            {create}
          </header>
          <KeyTable keys={keys.data} onRevoke={setRevoking} />
        </section>
      )}
      {isCreating && <CreateKey onClose={() => setCreating(false)} />}
      {revoking !== null && <RevokeKey apiKey={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}

interface TableProps {
  readonly keys: readonly ApiKey[];
  readonly onRevoke: (key: ApiKey) => void;
}

function KeyTable({ keys, onRevoke }: TableProps): ReactElement {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Who</th>
          <th scope="col">Role</th>
          <th scope="col">Good until</th>
          <th scope="col" className="keys-wide">
            Made
          </th>
          <th scope="col">
            <span className="visually-hidden">Revoke</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <tr key={key.id}>
            <td>
              <strong>{key.principal}</strong>
              <p className="quiet small keys-id">
                <code>{key.id}</code>
              </p>
            </td>
            <td>{key.role}</td>
            <td className="small">
              <Until apiKey={key} />
            </td>
            <td className="keys-wide quiet small">
              <Ago time={key.createdAt} /> by {key.createdBy}
            </td>
            <td className="keys-action">
              <Button
                look="danger"
                icon="bin"
                aria-label={`Revoke the key of ${key.principal}`}
                onClick={() => onRevoke(key)}
              >
                Revoke
              </Button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Until({ apiKey }: { readonly apiKey: ApiKey }): ReactElement {
  const state = keyState(apiKey, useNow(60_000));
  if (apiKey.expiresAt === null) return <span className="quiet">it is revoked</span>;
  return (
    <>
      <Exact time={apiKey.expiresAt} />
      {state !== "good" && (
        <p>
          <span className="chip" data-tone={state === "over" ? "failed" : "waiting"}>
            {state === "over" ? "over" : "ends soon"}
          </span>
        </p>
      )}
    </>
  );
}

function RevokeKey({
  apiKey,
  onClose,
}: {
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
}): ReactElement {
  const client = useQueryClient();
  const announce = useAnnounce();
  const remembered = useQuery(rememberedQuery).data ?? [];
  const own = remembered.filter(
    ({ createdBy, voidBecause }) => createdBy === apiKey.principal && voidBecause === null,
  ).length;
  const revoke = useMutation({
    mutationFn: () => operationsApi.revokeApiKey(apiKey.id),
    onSuccess: ({ rememberedAnswersVoid: count, rightsVoid }) => {
      void client.invalidateQueries({ queryKey: operationKeys.apiKeys });
      void client.invalidateQueries({ queryKey: rememberedQuery.queryKey });
      announce(`The key of ${apiKey.principal} is revoked${endOfAnswers(count)}${endOfRights(rightsVoid)}`);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`Revoke the key of ${apiKey.principal}?`}
      action="Revoke key"
      name={apiKey.principal}
      error={revoke.error}
      isBusy={revoke.isPending}
      onClose={onClose}
      onConfirm={() => revoke.mutate()}
    >
      <p>
        The key and every session that was opened with it end at once. What {apiKey.principal} did stays on
        record.
      </p>
      {own > 0 && (
        <p>
          {own === 1 ? "1 remembered answer ends" : `${own} remembered answers end`} with it: the same is
          asked again. A new key under the same name brings none of them back.
        </p>
      )}
    </ConfirmDialog>
  );
}

function endOfAnswers(count: number | null): string {
  if (count === 0) return "";
  if (count === null) return "; how many remembered answers end with it could not be counted";
  return `; ${count === 1 ? "1 remembered answer does" : `${count} remembered answers do`} not count any more`;
}

function endOfRights(rights: EndedApiKey["rightsVoid"]): string {
  if (rights === null) return "; how much of what it handed out ends with it could not be counted";
  const { delegations, handOns, links } = rights;
  const count = delegations + handOns + links;
  if (count === 0) return "";
  return `; ended with it: ${delegations} delegations, ${handOns} hand-ons, ${links} links`;
}
