/** Which findings belong to which file: those that name none, or a file nobody has, are the main file's. */
import type { Finding } from "../../api/contract.ts";

export function findingsOf<Found extends Finding & { readonly file?: string | undefined }>(
  findings: readonly Found[],
  { name, names }: { readonly name: string; readonly names: readonly string[] },
): readonly Found[] {
  return findings.filter(
    ({ file }) => (file !== undefined && names.includes(file) ? file : names[0]) === name,
  );
}
