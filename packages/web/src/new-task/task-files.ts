/** Files that go into a run's workspace, in the form the API takes. */

export interface TaskFile {
  /** Inside the workspace, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly contentBase64: string;
}

/** Reads a picked file; its path inside a picked folder is kept. */
export async function readTaskFile(file: File): Promise<TaskFile> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const path = file.webkitRelativePath === "" ? file.name : file.webkitRelativePath;
  return { path, sizeBytes: bytes.length, contentBase64: toBase64(bytes) };
}

/** Of two files with one path the later stays. */
export function mergeFiles(before: readonly TaskFile[], added: readonly TaskFile[]): readonly TaskFile[] {
  const paths = new Set(added.map((file) => file.path));
  return [...before.filter((file) => !paths.has(file.path)), ...added].sort((a, b) =>
    a.path.localeCompare(b.path),
  );
}

/** In pieces, because a call takes only so many arguments; a multiple of 3 bytes leaves no padding between. */
export function toBase64(bytes: Uint8Array): string {
  const pieceBytes = 3 * 8_192;
  let text = "";
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + pieceBytes)));
  }
  return text;
}
