/** Somebody else activated a policy since the draft began: what changed, and how to bring both together. */
import { useState, type ReactElement } from "react";
import type { Policy, PolicyText } from "../../api/policy-calls.ts";
import { formatCount } from "../../format/quantity.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { DiffView } from "../compare/diff-view.tsx";
import { mergeTexts } from "../compare/merge-texts.ts";
import { changedFiles, textOf, type Draft } from "./draft.ts";
import type { DraftHandle } from "./use-draft.ts";

interface Props {
  readonly policy: Policy;
  readonly handle: DraftHandle;
}

export function Meanwhile({ policy, handle }: Props): ReactElement {
  const announce = useAnnounce();
  const [isShown, setShown] = useState(true);
  const { draft } = handle;
  const theirs = changedFiles(draft.base, policy.files);
  const merged = mergeDraft(draft, policy);
  return (
    <section className="panel panel-body stack meanwhile" aria-labelledby="meanwhile" data-tone="waiting">
      <div className="stack">
        <h2 id="meanwhile" className="cluster">
          <Icon name="warning" /> The policy in force was changed meanwhile
        </h2>
        <p className="small">
          Your draft began with an earlier revision. Nothing of it is lost; bring both together before you
          activate it.
        </p>
      </div>
      {isShown &&
        theirs.map(({ name, before, after }) => (
          <DiffView key={name} before={before} after={after} label={`What changed in ${name}`} />
        ))}
      <div className="cluster">
        <Button
          look="primary"
          onClick={() => {
            handle.replace(merged.draft);
            announce(
              merged.conflicts === 0
                ? "Both changes are in the draft"
                : `${formatCount(merged.conflicts, "place")} to settle by hand: look for <<<`,
              { tone: merged.conflicts === 0 ? "done" : "waiting" },
            );
          }}
        >
          {merged.conflicts === 0
            ? "Take their change into my draft"
            : `Merge, ${formatCount(merged.conflicts, "place")} to settle by hand`}
        </Button>
        <Button onClick={() => handle.replace({ ...draft, revision: policy.revision, base: policy.files })}>
          Keep my text, undo theirs
        </Button>
        <Button onClick={() => handle.restart(policy)}>Drop mine</Button>
        <Button look="plain" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? "Hide their change" : "Show their change"}
        </Button>
      </div>
    </section>
  );
}

/** The draft on top of the policy in force. Files that only one side has are kept as that side has them. */
export function mergeDraft(
  draft: Draft,
  policy: Pick<Policy, "revision" | "files">,
): { readonly draft: Draft; readonly conflicts: number } {
  let conflicts = 0;
  const files = policy.files.map(({ name, text }): PolicyText => {
    if (!draft.files.some((file) => file.name === name)) return { name, text };
    const merged = mergeTexts(textOf(draft.base, name), textOf(draft.files, name), text);
    conflicts += merged.conflicts;
    return { name, text: merged.text };
  });
  return { draft: { revision: policy.revision, base: policy.files, files }, conflicts };
}
