/** One artifact: seen whole, with the digest it is registered under and where it came from. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { artifactAddress, artifactText } from "../api/calls.ts";
import type { Artifact } from "../api/contract.ts";
import { formatBytes, shortId } from "../format/quantity.ts";
import { Dialog } from "../ui/dialog.tsx";
import { LongDigest } from "../ui/digest.tsx";
import { Icon } from "../ui/icon.tsx";
import { Exact } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { StateBadge } from "../ui/state-glyph.tsx";
import { artifactKind } from "./artifact-kind.ts";
import { statusLooks } from "./artifact-status.ts";
import "./artifact-dialog.css";

interface Props {
  readonly artifact: Artifact;
  readonly withRun: boolean;
  readonly onClose: () => void;
}

const previewBytes = 64_000;

export function ArtifactDialog({ artifact, withRun, onClose }: Props): ReactElement {
  return (
    <Dialog title={artifact.title ?? artifact.filename} onClose={onClose}>
      {artifact.description !== null && <p className="quiet">{artifact.description}</p>}
      <Preview artifact={artifact} />
      <Facts artifact={artifact} withRun={withRun} />
      <div className="dialog-actions">
        <a
          className="button"
          data-look="primary"
          href={artifactAddress(artifact.id, false)}
          download={artifact.filename}
        >
          <Icon name="download" size={14} />
          Download
        </a>
      </div>
    </Dialog>
  );
}

function Facts({ artifact, withRun }: Omit<Props, "onClose">): ReactElement {
  return (
    <dl className="facts">
      <dt>File</dt>
      <dd>
        <code>{artifact.path}</code>
      </dd>
      <dt>SHA-256</dt>
      <dd>
        <LongDigest value={artifact.sha256} what="SHA-256" />
      </dd>
      {artifact.previousSha256 !== null && (
        <>
          <dt>Before</dt>
          <dd>
            <LongDigest value={artifact.previousSha256} what="SHA-256 of the version before" />
          </dd>
        </>
      )}
      <dt>Version</dt>
      <dd className="cluster">
        {artifact.version} <StateBadge look={statusLooks[artifact.status]} />
      </dd>
      <dt>Type</dt>
      <dd>
        {artifact.mediaType}, {formatBytes(artifact.sizeBytes)}
      </dd>
      <dt>Written</dt>
      <dd>
        <Exact time={artifact.modifiedAt} /> by {artifact.modifiedBy}
      </dd>
      <dt>Step</dt>
      <dd>
        {withRun && (
          <>
            <Link to="/runs/$runId" params={{ runId: artifact.runId }} search={{}}>
              {shortId(artifact.runId)}
            </Link>
            {" › "}
          </>
        )}
        <Link to="/runs/$runId" params={{ runId: artifact.runId }} search={{ step: artifact.step }}>
          {artifact.step}
        </Link>
      </dd>
    </dl>
  );
}

function Preview({ artifact }: { readonly artifact: Artifact }): ReactElement | null {
  const kind = artifactKind(artifact);
  if (artifact.status === "quarantined") return <p className="quiet">Quarantined files are not shown.</p>;
  if (kind === "picture") {
    return (
      <div className="preview-picture">
        <img
          src={artifactAddress(artifact.id, true)}
          alt={artifact.description ?? artifact.title ?? artifact.filename}
        />
      </div>
    );
  }
  return kind === "text" ? <TextPreview artifact={artifact} /> : null;
}

function TextPreview({ artifact }: { readonly artifact: Artifact }): ReactElement {
  const text = useQuery({
    queryKey: ["artifact-text", artifact.id, artifact.sha256],
    queryFn: ({ signal }) => artifactText(artifact.id, previewBytes, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (text.isPending) return <Loading lines={3} />;
  if (text.isError) return <ProblemNotice error={text.error} />;
  return (
    <pre className="preview-text" tabIndex={0} aria-label={`Text of ${artifact.filename}`}>
      {text.data}
      {artifact.sizeBytes > previewBytes && "\n…"}
    </pre>
  );
}
