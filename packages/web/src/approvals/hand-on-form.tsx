/** Lets somebody else answer: this question on their own page, or by a link for mail and chat. */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState, type FormEvent, type ReactElement } from "react";
import type { Approval } from "../api/contract.ts";
import { inboxApi, type ApprovalLink } from "../api/inbox-calls.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Exact } from "../ui/moment.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { takeAnswer } from "./use-decide.ts";

interface Props {
  readonly approval: Approval;
  readonly onClose: () => void;
}

export function HandOnForm({ approval, onClose }: Props): ReactElement {
  const [to, setTo] = useState("");
  const [expires, setExpires] = useState("24h");
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => field.current?.focus(), []);
  const name = to.trim();
  const handOn = useHandOn(approval.id, onClose);
  const link = useMutation({ mutationFn: () => inboxApi.createLink(approval.id, { for: name, expires }) });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name !== "") handOn.mutate(name);
  };
  return (
    <form
      className="decision-panel"
      aria-label="Hand this question on"
      onSubmit={submit}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div className="decision-fields">
        <div className="field">
          <label htmlFor={`${id}-to`}>To whom, by the name of their key</label>
          <input
            id={`${id}-to`}
            ref={field}
            className="input"
            placeholder="zoe"
            value={to}
            autoCapitalize="off"
            onChange={(event) => setTo(event.target.value)}
          />
        </div>
        <ExpiryField value={expires} onChange={setExpires} />
      </div>
      {link.data !== undefined && <LinkNotice link={link.data} />}
      {handOn.isError && <ProblemNotice error={handOn.error} />}
      {link.isError && <ProblemNotice error={link.error} />}
      <div className="decision-actions">
        <Button onClick={onClose}>Close</Button>
        <Button
          icon="external"
          busy={link.isPending}
          disabled={name === ""}
          onClick={() => link.mutate()}
          title="Opening it decides nothing; answering uses it up"
        >
          Make a link
        </Button>
        <Button type="submit" look="primary" busy={handOn.isPending} disabled={name === ""}>
          Hand on
        </Button>
      </div>
    </form>
  );
}

/** Called with a name; `onDone` once that person may answer. */
function useHandOn(id: string, onDone: () => void): UseMutationResult<Approval, Error, string> {
  const client = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: (name: string) => inboxApi.handOn(id, name),
    onSuccess: (after, name) => {
      takeAnswer(client, after);
      announce(`${name} may answer this too`);
      onDone();
    },
  });
}

interface ExpiryProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function ExpiryField({ value, onChange }: ExpiryProps): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>A link stands for</label>
      <select id={id} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="1h">1 hour</option>
        <option value="4h">4 hours</option>
        <option value="24h">1 day</option>
        <option value="7d">7 days</option>
      </select>
    </div>
  );
}

function LinkNotice({ link }: { readonly link: ApprovalLink }): ReactElement {
  return (
    <div className="link-notice" role="status">
      <p className="small">
        {link.needsSession
          ? `For ${link.for} alone, who signs in to answer.`
          : `For ${link.for} alone: whoever has it answers as ${link.for}.`}{" "}
        Opening it decides nothing, answering uses it up. It stands until <Exact time={link.expiresAt} />.
      </p>
      <p className="link-address">
        <code>{link.url}</code>
        <CopyButton text={link.url} what="link" />
      </p>
    </div>
  );
}
