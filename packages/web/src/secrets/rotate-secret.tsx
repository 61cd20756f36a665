/** Gives a secret a new value for the same uses. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactElement } from "react";
import { operationsApi, type Secret } from "../api/operations-calls.ts";
import { operationKeys } from "../api/operations-queries.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { ContentFieldset } from "./content-fields.tsx";
import { contentFault, contentOf, emptyContent } from "./secret-form.ts";

interface Props {
  readonly secret: Secret;
  readonly onClose: () => void;
}

export function RotateSecret({ secret, onClose }: Props): ReactElement {
  const [content, setContent] = useState({ ...emptyContent, source: secret.source });
  const [retirePrevious, setRetirePrevious] = useState(false);
  const [wasSent, setWasSent] = useState(false);
  const fault = contentFault(content);
  const client = useQueryClient();
  const announce = useAnnounce();
  const rotate = useMutation({
    mutationFn: () => operationsApi.rotateSecret(secret.name, { ...contentOf(content), retirePrevious }),
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: operationKeys.secrets });
      announce(`${saved.name} is at version ${saved.version}`);
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setWasSent(true);
    if (fault === null) rotate.mutate();
  };
  return (
    <Dialog title={`Rotate ${secret.name}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>
          Version {secret.version + 1} is for the same uses. Whoever waits for an approval that named version{" "}
          {secret.version} is asked again.
        </p>
        <ContentFieldset content={content} onChange={setContent} />
        <label className="check">
          <input
            type="checkbox"
            checked={retirePrevious}
            onChange={(event) => setRetirePrevious(event.target.checked)}
          />
          Destroy version {secret.version} at once; actions under way may fail
        </label>
        {wasSent && fault !== null && (
          <p className="field-error" role="alert">
            {fault}
          </p>
        )}
        {rotate.isError && <ProblemNotice error={rotate.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={rotate.isPending}>
            Rotate
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
