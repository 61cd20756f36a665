/** Artifacts as cards with a picture where there is one; a card opens the whole. */
import { useState, type ReactElement } from "react";
import { artifactAddress } from "../api/calls.ts";
import type { Artifact } from "../api/contract.ts";
import { formatBytes } from "../format/quantity.ts";
import { Ago } from "../ui/moment.tsx";
import { StateBadge } from "../ui/state-glyph.tsx";
import { ArtifactDialog } from "./artifact-dialog.tsx";
import { artifactKind, artifactMark } from "./artifact-kind.ts";
import { statusLooks } from "./artifact-status.ts";
import { excerptLimitBytes, TextExcerpt } from "./text-excerpt.tsx";
import "./artifact-grid.css";

interface Props {
  readonly artifacts: readonly Artifact[];
  readonly withRun?: boolean;
  /** Controlled from the address where the page has one for it. */
  readonly openId?: string | undefined;
  readonly onOpen?: (id: string | undefined) => void;
}

export function ArtifactGrid({ artifacts, withRun = true, openId, onOpen }: Props): ReactElement {
  const [ownId, setOwnId] = useState<string | undefined>();
  const id = onOpen === undefined ? ownId : openId;
  const open = onOpen ?? setOwnId;
  const shown = artifacts.find((artifact) => artifact.id === id);
  return (
    <>
      <ul className="artifacts">
        {artifacts.map((artifact) => (
          <li key={artifact.id}>
            <Card artifact={artifact} onOpen={() => open(artifact.id)} />
          </li>
        ))}
      </ul>
      {shown !== undefined && (
        <ArtifactDialog artifact={shown} withRun={withRun} onClose={() => open(undefined)} />
      )}
    </>
  );
}

function Card({
  artifact,
  onOpen,
}: {
  readonly artifact: Artifact;
  readonly onOpen: () => void;
}): ReactElement {
  return (
    <button type="button" className="artifact panel" onClick={onOpen}>
      <span className="artifact-picture">
        <Picture artifact={artifact} />
      </span>
      <span className="artifact-text">
        <span className="artifact-name truncate">{artifact.title ?? artifact.filename}</span>
        <span className="artifact-path truncate">{artifact.path}</span>
        <span className="artifact-facts">
          <span>{formatBytes(artifact.sizeBytes)}</span>
          {artifact.version > 1 && <span>version {artifact.version}</span>}
          <Ago time={artifact.modifiedAt} />
          {artifact.status !== "active" && <StateBadge look={statusLooks[artifact.status]} />}
        </span>
      </span>
    </button>
  );
}

function Picture({ artifact }: { readonly artifact: Artifact }): ReactElement {
  const kind = artifact.status === "quarantined" ? "other" : artifactKind(artifact);
  if (kind === "picture")
    return <img src={artifactAddress(artifact.id, true)} alt="" loading="lazy" decoding="async" />;
  if (kind === "text" && artifact.sizeBytes <= excerptLimitBytes) return <TextExcerpt artifact={artifact} />;
  return <span className="artifact-mark">{artifactMark(artifact)}</span>;
}
