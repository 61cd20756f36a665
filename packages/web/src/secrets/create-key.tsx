/** Makes an API key and shows it: this once, and never again. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import { operationsApi, type CreatedApiKey, type NewApiKey } from "../api/operations-calls.ts";
import { operationKeys } from "../api/operations-queries.ts";
import { nowMs } from "../live/now.ts";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { expiryOf, keyLives, type KeyLifeDays } from "./key-expiry.ts";

const roles: readonly { readonly role: NewApiKey["role"]; readonly may: string }[] = [
  { role: "viewer", may: "sees everything but settings and keys" },
  { role: "operator", may: "also submits, pauses and cancels" },
  { role: "approver", may: "also answers questions" },
  { role: "admin", may: "may do everything" },
];

export function CreateKey({ onClose }: { readonly onClose: () => void }): ReactElement {
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: operationsApi.createApiKey,
    onSuccess: () => void client.invalidateQueries({ queryKey: operationKeys.apiKeys }),
  });
  return (
    <Dialog title={create.isSuccess ? `The key of ${create.data.principal}` : "Make a key"} onClose={onClose}>
      {create.isSuccess ? (
        <Made made={create.data} onClose={onClose} />
      ) : (
        <KeyForm
          error={create.error}
          isBusy={create.isPending}
          onClose={onClose}
          onCreate={(key) => create.mutate(key)}
        />
      )}
    </Dialog>
  );
}

interface FormProps {
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly onClose: () => void;
  readonly onCreate: (key: NewApiKey) => void;
}

function KeyForm({ error, isBusy, onClose, onCreate }: FormProps): ReactElement {
  const id = useId();
  const [principal, setPrincipal] = useState("");
  const [role, setRole] = useState<NewApiKey["role"]>("operator");
  const [days, setDays] = useState<KeyLifeDays>(90);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const expiresAt = expiryOf(days, nowMs());
    onCreate({ principal: principal.trim(), role, ...(expiresAt === undefined ? {} : { expiresAt }) });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <div className="field">
        <label htmlFor={`${id}-who`}>Name</label>
        <input
          id={`${id}-who`}
          className="input"
          required
          placeholder="ada"
          value={principal}
          data-autofocus
          aria-describedby={`${id}-hint`}
          onChange={(event) => setPrincipal(event.target.value)}
        />
        <span className="field-hint" id={`${id}-hint`}>
          Under this name policy and approvals know them.
        </span>
      </div>
      <RoleField value={role} onChange={setRole} />
      <div className="field">
        <label htmlFor={`${id}-life`}>Good for</label>
        <select
          id={`${id}-life`}
          className="input"
          value={days}
          onChange={(event) => setDays(Number(event.target.value) as KeyLifeDays)}
        >
          {keyLives.map((life) => (
            <option key={life.days} value={life.days}>
              {life.label}
            </option>
          ))}
        </select>
      </div>
      {error !== null && <ProblemNotice error={error} />}
      <div className="dialog-actions">
        <Button onClick={onClose}>Close</Button>
        <Button type="submit" look="primary" busy={isBusy} disabled={principal.trim() === ""}>
          Make key
        </Button>
      </div>
    </form>
  );
}

interface RoleProps {
  readonly value: NewApiKey["role"];
  readonly onChange: (role: NewApiKey["role"]) => void;
}

function RoleField({ value, onChange }: RoleProps): ReactElement {
  const name = useId();
  return (
    <fieldset className="key-roles">
      <legend className="field-label">Role</legend>
      {roles.map(({ role, may }) => (
        <label className="check" key={role}>
          <input type="radio" name={name} checked={value === role} onChange={() => onChange(role)} />
          <span>
            {role} <span className="quiet">{may}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Made({
  made,
  onClose,
}: {
  readonly made: CreatedApiKey;
  readonly onClose: () => void;
}): ReactElement {
  return (
    <div className="stack">
      <p>Copy it now: it is shown this once. The server keeps only its digest.</p>
      <div className="key-shown">
        <code>{made.key}</code>
        <CopyButton text={made.key} what="the key" />
      </div>
      <p className="quiet small">
        Programs send it as <code>Authorization: Bearer …</code>; people paste it where this dashboard asks
        for a token.
      </p>
      <div className="dialog-actions">
        <Button look="primary" onClick={onClose}>
          I have it
        </Button>
      </div>
    </div>
  );
}
