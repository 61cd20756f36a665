/** The files a run finds in its workspace. */
import type { ReactElement } from "react";
import { formatBytes, formatCount } from "../format/quantity.ts";
import { IconButton } from "../ui/button.tsx";
import { FilePicker } from "./file-picker.tsx";
import { mergeFiles, readTaskFile, type TaskFile } from "./task-files.ts";

interface Props {
  readonly files: readonly TaskFile[];
  readonly onChange: (files: readonly TaskFile[]) => void;
}

export function WorkspaceFiles({ files, onChange }: Props): ReactElement {
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const add = (picked: readonly File[]): void => {
    void Promise.all(picked.map(readTaskFile)).then((read) => onChange(mergeFiles(files, read)));
  };
  return (
    <section className="stack workspace-files" aria-label="Files for the workspace">
      <FilePicker label="Add files for the workspace" multiple onFiles={add} />
      {files.length > 0 && (
        <>
          <ul>
            {files.map((file) => (
              <li key={file.path}>
                <code className="truncate">{file.path}</code>
                <span className="quiet small">{formatBytes(file.sizeBytes)}</span>
                <IconButton
                  icon="cross"
                  label={`Remove ${file.path}`}
                  onClick={() => onChange(files.filter((other) => other !== file))}
                />
              </li>
            ))}
          </ul>
          <p className="quiet small">
            {formatCount(files.length, "file")}, {formatBytes(total)}
          </p>
        </>
      )}
    </section>
  );
}
