/** The first lines of a small text, as the picture of its card. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { artifactText } from "../api/calls.ts";
import type { Artifact } from "../api/contract.ts";
import { artifactMark } from "./artifact-kind.ts";

/** Larger texts are not fetched for a card. */
export const excerptLimitBytes = 20_000;
const shownBytes = 700;

export function TextExcerpt({ artifact }: { readonly artifact: Artifact }): ReactElement {
  const text = useQuery({
    queryKey: ["artifact-excerpt", artifact.id, artifact.sha256],
    queryFn: ({ signal }) => artifactText(artifact.id, shownBytes, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  if (text.data === undefined) return <span className="artifact-mark">{artifactMark(artifact)}</span>;
  return (
    <span className="artifact-excerpt" aria-hidden="true">
      {text.data}
    </span>
  );
}
