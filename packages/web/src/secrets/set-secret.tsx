/** The form that makes a secret, or replaces its value and what it may be used for. */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import { operationsApi, type Secret, type SecretSettings, type SecretUse } from "../api/operations-calls.ts";
import { operationKeys } from "../api/operations-queries.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { FaultList } from "../ui/fault-list.tsx";
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
  const save = useSetSecret(name, onClose);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setWasSent(true);
    const about = description.trim();
    if (faults.length > 0) return;
    save.mutate({ ...contentOf(content), uses, ...(about === "" ? {} : { description: about }) });
  };
  return (
    <Dialog title={secret === null ? "Set a secret" : `Replace ${secret.name}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        {secret === null && <NameField name={name} onChange={setName} />}
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
        {wasSent && <FaultList faults={faults} />}
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

function useSetSecret(name: string, onDone: () => void): UseMutationResult<Secret, Error, SecretSettings> {
  const client = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: (settings: SecretSettings) => operationsApi.setSecret(name, settings),
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: operationKeys.secrets });
      announce(`${saved.handle} is set`);
      onDone();
    },
  });
}

interface NameProps {
  readonly name: string;
  readonly onChange: (name: string) => void;
}

function NameField({ name, onChange }: NameProps): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Name</label>
      <input
        id={id}
        className="input"
        data-kind="mono"
        placeholder="github-token"
        value={name}
        data-autofocus
        aria-describedby={`${id}-handle`}
        onChange={(event) => onChange(event.target.value)}
      />
      <span className="field-hint" id={`${id}-handle`}>
        Workflows write <code>secret://{name === "" ? "github-token" : name}</code>
      </span>
    </div>
  );
}
