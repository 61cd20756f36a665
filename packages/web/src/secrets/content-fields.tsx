/** Where the value of a secret comes from: typed here, read from a file here, or kept elsewhere. */
import { useId, useRef, type ChangeEvent, type ReactElement } from "react";
import { Button } from "../ui/button.tsx";
import { withoutLastLineBreak, type ContentFields, type SourceKind } from "./secret-form.ts";

const sources: readonly { readonly kind: SourceKind; readonly label: string }[] = [
  { kind: "store", label: "Here, sealed in the database" },
  { kind: "vault", label: "Vault or OpenBao (KV version 2)" },
  { kind: "environment", label: "A variable of the server" },
  { kind: "file", label: "A file that a container mounts" },
];

interface Props {
  readonly content: ContentFields;
  readonly onChange: (content: ContentFields) => void;
}

export function ContentFieldset({ content, onChange }: Props): ReactElement {
  const id = useId();
  return (
    <>
      <div className="field">
        <label htmlFor={`${id}-source`}>Kept in</label>
        <select
          id={`${id}-source`}
          className="input"
          value={content.source}
          onChange={(event) => onChange({ ...content, source: event.target.value as SourceKind })}
        >
          {sources.map(({ kind, label }) => (
            <option key={kind} value={kind}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {content.source === "store" && <ValueField content={content} onChange={onChange} />}
      {content.source === "vault" && (
        <div className="secret-pair">
          <TextField
            label="Path"
            hint="For example team/github"
            name="place"
            content={content}
            onChange={onChange}
          />
          <TextField
            label="Field"
            hint="For example token"
            name="field"
            content={content}
            onChange={onChange}
          />
        </div>
      )}
      {content.source === "environment" && (
        <TextField
          label="Name"
          hint="GITHUB reads HOMEOSTAT_SECRET_GITHUB of the server's environment"
          name="place"
          content={content}
          onChange={onChange}
        />
      )}
      {content.source === "file" && (
        <TextField
          label="File name"
          hint="In the folder that secrets.folder names"
          name="place"
          content={content}
          onChange={onChange}
        />
      )}
    </>
  );
}

function ValueField({ content, onChange }: Props): ReactElement {
  const id = useId();
  const file = useRef<HTMLInputElement>(null);
  const take = async (event: ChangeEvent<HTMLInputElement>): Promise<void> => {
    const chosen = event.target.files?.[0];
    if (chosen === undefined) return;
    onChange({ ...content, value: withoutLastLineBreak(await chosen.text()) });
    event.target.value = "";
  };
  return (
    <div className="field">
      <label htmlFor={id}>Value</label>
      <div className="secret-value">
        <input
          id={id}
          className="input"
          type="password"
          autoComplete="new-password"
          spellCheck={false}
          value={content.value}
          aria-describedby={`${id}-hint`}
          onChange={(event) => onChange({ ...content, value: event.target.value })}
        />
        <Button icon="file" onClick={() => file.current?.click()}>
          From a file
        </Button>
        <input
          ref={file}
          type="file"
          hidden
          aria-label="File with the value"
          onChange={(event) => void take(event)}
        />
      </div>
      <span className="field-hint" id={`${id}-hint`}>
        At least 8 characters. Nobody can read it back, here or in the API.
      </span>
    </div>
  );
}

interface TextFieldProps extends Props {
  readonly label: string;
  readonly hint: string;
  readonly name: "place" | "field";
}

function TextField({ label, hint, name, content, onChange }: TextFieldProps): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        data-kind="mono"
        value={content[name]}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange({ ...content, [name]: event.target.value })}
      />
      <span className="field-hint" id={`${id}-hint`}>
        {hint}
      </span>
    </div>
  );
}
