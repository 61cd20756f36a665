/** The form that makes a secret, or replaces its value and what it may be used for. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import { operationsApi, type Secret, type SecretUse } from "../api/operations-calls.ts";
import { operationKeys } from "../api/operations-queries.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { ContentFieldset } from "./content-fields.tsx";
import { contentFault, contentOf, emptyContent, nameFault, usesOf } from "./secret-form.ts";
import { UsesField } from "./uses-field.tsx";

interface Props {
  /** Null for a new one. */
  readonly secret: Secret | null;
  readonly onClose: () => void;
}

export function SetSecret({ secret, onClose }: Props): ReactElement {
  const id = useId();
  const [name, setName] = useState(secret?.name ?? "");
  const [description, setDescription] = useState(secret?.description ?? "");
  const [content, setContent] = useState(emptyContent);
  const [rows, setRows] = useState<readonly SecretUse[]>(secret?.uses ?? [{ action: "", resource: "" }]);
  const [wasSent, setWasSent] = useState(false);
  const { uses, isHalf } = usesOf(rows);
  const faults = [
    nameFault(name),
    contentFault(content),
    isHalf || uses.length === 0 ? "Say what it may be used for: an action and a resource." : null,
  ].filter((fault) => fault !== null);
  const client = useQueryClient();
  const announce = useAnnounce();
  const save = useMutation({
    mutationFn: () =>
      operationsApi.setSecret(name, {
        ...contentOf(content),
        uses,
        ...(description.trim() === "" ? {} : { description: description.trim() }),
      }),
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: operationKeys.secrets });
      announce(`${saved.handle} is set`);
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setWasSent(true);
    if (faults.length === 0) save.mutate();
  };
  return (
    <Dialog title={secret === null ? "Set a secret" : `Replace ${secret.name}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        {secret === null && (
          <div className="field">
            <label htmlFor={`${id}-name`}>Name</label>
            <input
              id={`${id}-name`}
              className="input"
              data-kind="mono"
              placeholder="github-token"
              value={name}
              data-autofocus
              aria-describedby={`${id}-handle`}
              onChange={(event) => setName(event.target.value)}
            />
            <span className="field-hint" id={`${id}-handle`}>
              Workflows write <code>secret://{name === "" ? "github-token" : name}</code>
            </span>
          </div>
        )}
        <ContentFieldset content={content} onChange={setContent} />
        <UsesField rows={rows} onChange={setRows} />
        <div className="field">
          <label htmlFor={`${id}-what`}>Description (optional)</label>
          <input
            id={`${id}-what`}
            className="input"
            value={description}
            maxLength={500}
            onChange={(event) => setDescription(event.target.value)}
          />
        </div>
        {wasSent && faults.length > 0 && (
          <ul className="field-error" role="alert">
            {faults.map((fault) => (
              <li key={fault}>{fault}</li>
            ))}
          </ul>
        )}
        {save.isError && <ProblemNotice error={save.error} />}
        <CommandLine
          command={`homeostat secret set ${name === "" ? "NAME" : name} --for "ACTION RESOURCE" < FILE`}
        />
        <div className="dialog-actions">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            {secret === null ? "Set secret" : "Replace"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
