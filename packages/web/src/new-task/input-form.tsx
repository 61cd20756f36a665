/** A form made from a workflow's typed inputs. */
import { useId, type ReactElement } from "react";
import type { InputDefinition } from "../api/contract.ts";
import { initialValue, type Definitions, type FieldValue, type FieldValues } from "./input-values.ts";

interface Props {
  readonly definitions: Definitions;
  readonly values: FieldValues;
  readonly onChange: (values: FieldValues) => void;
  /** Shown beside the fields once somebody tried to run. */
  readonly problems: Readonly<Record<string, string>>;
}

export function InputForm({ definitions, values, onChange, problems }: Props): ReactElement {
  const entries = Object.entries(definitions);
  if (entries.length === 0) return <p className="quiet small">This workflow takes no inputs.</p>;
  return (
    <div className="inputs">
      {entries.map(([name, definition]) => (
        <InputField
          key={name}
          name={name}
          definition={definition}
          value={values[name] ?? initialValue(definition)}
          problem={problems[name]}
          onChange={(value) => onChange({ ...values, [name]: value })}
        />
      ))}
    </div>
  );
}

interface FieldProps {
  readonly name: string;
  readonly definition: InputDefinition;
  readonly value: FieldValue;
  readonly problem: string | undefined;
  readonly onChange: (value: FieldValue) => void;
}

function InputField({ name, definition, value, problem, onChange }: FieldProps): ReactElement {
  const id = useId();
  const note = `${id}-note`;
  const attributes = {
    id,
    "aria-describedby": note,
    "aria-invalid": problem !== undefined,
  };
  return (
    <div className="field">
      {definition.type === "boolean" ? (
        <label className="check input-check">
          <input
            {...attributes}
            type="checkbox"
            checked={value === true}
            onChange={(event) => onChange(event.target.checked)}
          />
          {name}
        </label>
      ) : (
        <>
          <label htmlFor={id}>
            {name}
            <span className="input-type">
              {definition.type}
              {definition.default === undefined && ", needed"}
            </span>
          </label>
          <Control
            definition={definition}
            value={String(value)}
            attributes={attributes}
            onChange={onChange}
          />
        </>
      )}
      <p className="field-hint" id={note}>
        {problem !== undefined && <span className="field-error">{problem} </span>}
        {definition.description}
        {definition.type === "list" && definition.enum === undefined && " One per line, or a JSON list."}
      </p>
    </div>
  );
}

interface ControlProps {
  readonly definition: InputDefinition;
  readonly value: string;
  readonly attributes: {
    readonly id: string;
    readonly "aria-describedby": string;
    readonly "aria-invalid": boolean;
  };
  readonly onChange: (value: FieldValue) => void;
}

function Control({ definition, value, attributes, onChange }: ControlProps): ReactElement {
  if (definition.enum !== undefined) {
    return (
      <select
        className="input"
        {...attributes}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {definition.default === undefined && <option value="">Choose</option>}
        {definition.enum.map((choice) => (
          <option key={String(choice)} value={String(choice)}>
            {String(choice)}
          </option>
        ))}
      </select>
    );
  }
  if (definition.type === "list" || definition.type === "object") {
    return (
      <textarea
        className="input"
        data-kind="mono"
        rows={Math.min(12, Math.max(3, value.split("\n").length + 1))}
        {...attributes}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  }
  const isNumber = definition.type === "number" || definition.type === "integer";
  return (
    <input
      className="input"
      {...attributes}
      {...(isNumber ? { inputMode: "decimal" as const } : {})}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
