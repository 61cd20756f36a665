/** Every secret with its handle and what it may be used for; sets, rotates and removes them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { operationsApi, type Secret } from "../api/operations-calls.ts";
import { operationKeys, secretsQuery } from "../api/operations-queries.ts";
import { sessionQuery } from "../api/queries.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { RotateSecret } from "./rotate-secret.tsx";
import { SetSecret } from "./set-secret.tsx";

type Open =
  { readonly kind: "new" } | { readonly kind: "replace" | "rotate" | "remove"; readonly secret: Secret };

export function SecretList(): ReactElement {
  const [open, setOpen] = useState<Open | null>(null);
  const secrets = useQuery(secretsQuery);
  const mayChange = useQuery(sessionQuery).data?.role === "admin";
  const close = (): void => setOpen(null);
  return (
    <>
      {!mayChange && secrets.isSuccess && (
        <p className="quiet small">An admin sets and removes secrets; you can see their names.</p>
      )}
      {secrets.isPending && <Loading />}
      {secrets.isError && <ProblemNotice error={secrets.error} onRetry={() => void secrets.refetch()} />}
      {secrets.data?.length === 0 && (
        <NoSecrets onNew={mayChange ? () => setOpen({ kind: "new" }) : undefined} />
      )}
      {secrets.data !== undefined && secrets.data.length > 0 && (
        <section className="panel" aria-label="Secrets">
          <header className="panel-head">
            <h2>{secrets.data.length === 1 ? "1 secret" : `${secrets.data.length} secrets`}</h2>
            {mayChange && (
              <Button look="primary" icon="plus" onClick={() => setOpen({ kind: "new" })}>
                Set a secret
              </Button>
            )}
          </header>
          <ul className="secrets">
            {secrets.data.map((secret) => (
              <SecretRow
                key={secret.name}
                secret={secret}
                mayChange={mayChange}
                onOpen={(kind) => setOpen({ kind, secret })}
              />
            ))}
          </ul>
        </section>
      )}
      {(open?.kind === "new" || open?.kind === "replace") && (
        <SetSecret secret={open.kind === "replace" ? open.secret : null} onClose={close} />
      )}
      {open?.kind === "rotate" && <RotateSecret secret={open.secret} onClose={close} />}
      {open?.kind === "remove" && <RemoveSecret secret={open.secret} onClose={close} />}
    </>
  );
}

interface RowProps {
  readonly secret: Secret;
  readonly mayChange: boolean;
  readonly onOpen: (kind: "replace" | "rotate" | "remove") => void;
}

function SecretRow({ secret, mayChange, onOpen }: RowProps): ReactElement {
  return (
    <li>
      <div className="secret-main">
        <h3>{secret.name}</h3>
        {secret.description !== null && <p className="small">{secret.description}</p>}
        <p className="secret-handle small">
          <code>{secret.handle}</code>
          <CopyButton text={secret.handle} what={`handle of ${secret.name}`} />
          <span className="quiet">version {secret.version}</span>
        </p>
        <p className="quiet small">
          {sourceTexts[secret.source]}; set <Ago time={secret.createdAt} /> by {secret.createdBy}
        </p>
      </div>
      <div className="secret-uses small">
        <p className="quiet">May be used for</p>
        <ul>
          {secret.uses.map((use) => (
            <li key={`${use.action} ${use.resource}`}>
              <code>{use.action}</code> on <code>{use.resource}</code>
            </li>
          ))}
        </ul>
        {secret.uses.length === 0 && <p>nothing: no action can use it until it is granted</p>}
      </div>
      {mayChange && (
        <div className="secret-actions">
          <Button icon="retry" aria-label={`Rotate ${secret.name}`} onClick={() => onOpen("rotate")}>
            Rotate
          </Button>
          <Button icon="edit" aria-label={`Replace ${secret.name}`} onClick={() => onOpen("replace")}>
            Replace
          </Button>
          <Button
            look="danger"
            icon="bin"
            aria-label={`Remove ${secret.name}`}
            onClick={() => onOpen("remove")}
          >
            Remove
          </Button>
        </div>
      )}
    </li>
  );
}

const sourceTexts: Readonly<Record<Secret["source"], string>> = {
  store: "Sealed in the database",
  vault: "Kept in Vault",
  environment: "Kept in the server's environment",
  file: "Kept in a mounted file",
};

function NoSecrets({ onNew }: { readonly onNew: (() => void) | undefined }): ReactElement {
  return (
    <EmptyState title="No secrets yet">
      <p>
        A workflow names a handle such as <code>secret://github-token</code>; only the tool gets the value, at
        the moment it acts, and only for what the secret may be used for.
      </p>
      {onNew !== undefined && (
        <Button look="primary" size="large" icon="plus" onClick={onNew}>
          Set a secret
        </Button>
      )}
      <CommandLine command='homeostat secret set github-token --for "http.request https://api.github.com:443/**" < token.txt' />
    </EmptyState>
  );
}

function RemoveSecret({
  secret,
  onClose,
}: {
  readonly secret: Secret;
  readonly onClose: () => void;
}): ReactElement {
  const client = useQueryClient();
  const announce = useAnnounce();
  const remove = useMutation({
    mutationFn: () => operationsApi.removeSecret(secret.name),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: operationKeys.secrets });
      announce(`Removed ${secret.name}`);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`Remove ${secret.name}?`}
      action="Remove secret"
      name={secret.name}
      error={remove.error}
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate()}
    >
      <p>
        Every version is destroyed. Steps that name <code>{secret.handle}</code> fail from now on. Its name
        stays in journals, where it means nothing any more.
      </p>
    </ConfirmDialog>
  );
}
