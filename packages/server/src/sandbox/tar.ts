/** Files as a tar stream, the form in which they enter and leave a sandbox: the writer's and the reader's half. */

interface TarMember {
  readonly path: string;
  /** Permission bits, for example 0o644. */
  readonly mode: number;
  readonly modifiedAtMs: number;
}

export type TarSource =
  | (TarMember & { readonly kind: "folder" })
  | (TarMember & {
      readonly kind: "file";
      readonly sizeBytes: number;
      /** Must give exactly `sizeBytes` bytes. Called once, in order. */
      read(): AsyncIterable<Buffer>;
    });

export type TarEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly sizeBytes: number;
      /** Read to its end, or left alone: the next step of the reader skips what is left. */
      readonly body: AsyncIterable<Buffer>;
    }
  | { readonly kind: "folder"; readonly path: string }
  /** Links, devices, pipes: `what` names it for people. */
  | { readonly kind: "other"; readonly path: string; readonly what: string }
  /** The archive's own end mark: nothing is missing. */
  | { readonly kind: "end" }
  | { readonly kind: "broken"; readonly reason: string };

const blockBytes = 512;
/** A path or pax record longer than this is an attack, not a file. */
const maxHeaderBodyBytes = 64 * 1024;

/** POSIX.1-2001 (pax): ustar headers, with a pax record in front where the name does not fit. */
export async function* writeTar(sources: Iterable<TarSource>): AsyncGenerator<Buffer> {
  for (const source of sources) {
    const path = source.kind === "folder" ? `${source.path}/` : source.path;
    if (Buffer.byteLength(path) > 100) {
      const record = Buffer.from(paxRecord("path", path));
      yield header({ ...source, path: "pax", mode: 0o644 }, "x", record.length);
      yield record;
      yield padding(record.length);
    }
    if (source.kind === "folder") yield header({ ...source, path }, "5", 0);
    else {
      yield header({ ...source, path }, "0", source.sizeBytes);
      yield* source.read();
      yield padding(source.sizeBytes);
    }
  }
  yield Buffer.alloc(2 * blockBytes);
}

/**
 * Reads what GNU tar writes. The bytes are untrusted: nothing is believed but lengths, which bound what is taken.
 * Ends with `end`, with `broken`, or with neither when the stream stops early.
 */
export async function* readTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = createByteReader(chunks);
  let longPath: string | undefined;
  for (;;) {
    const block = await reader.take(blockBytes);
    if (block.length < blockBytes) return;
    if (block.every((byte) => byte === 0)) {
      await reader.skip(Number.POSITIVE_INFINITY);
      return yield { kind: "end" };
    }
    const found = parseHeader(block);
    if (found === undefined) return yield { kind: "broken", reason: "a header of the stream is damaged" };
    const { type, sizeBytes, padded } = found;
    if (type === "L" || type === "K" || type === "x" || type === "g") {
      if (sizeBytes > maxHeaderBodyBytes)
        return yield { kind: "broken", reason: "a name in the stream is too long" };
      const body = (await reader.take(padded)).subarray(0, sizeBytes);
      if (type === "L") longPath = textUntilZero(body);
      if (type === "x") longPath = paxPath(body) ?? longPath;
      continue;
    }
    const path = cleanPath(longPath ?? found.path);
    longPath = undefined;
    const rest = { bytes: sizeBytes };
    if (type === "0") yield { kind: "file", path, sizeBytes, body: reader.chunks(rest) };
    else if (type === "5") yield { kind: "folder", path };
    else yield { kind: "other", path, what: typeNames[type] ?? "special file" };
    await reader.skip(rest.bytes + padded - sizeBytes);
  }
}

const typeNames: Readonly<Record<string, string>> = {
  "1": "hard link",
  "2": "symbolic link",
  "3": "character device",
  "4": "block device",
  "6": "named pipe",
};

interface ByteReader {
  /** Up to `count` bytes; fewer only at the end of the stream. */
  take(count: number): Promise<Buffer>;
  skip(count: number): Promise<void>;
  /** Chunks that add up to `left.bytes`, which is counted down. */
  chunks(left: { bytes: number }): AsyncGenerator<Buffer>;
}

function createByteReader(source: AsyncIterable<Buffer>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  async function some(most: number): Promise<Buffer | undefined> {
    while (held.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return undefined;
      held = next.value;
    }
    const part = held.subarray(0, most);
    held = held.subarray(part.length);
    return part;
  }
  async function* chunks(left: { bytes: number }): AsyncGenerator<Buffer> {
    while (left.bytes > 0) {
      const part = await some(left.bytes);
      if (part === undefined) return;
      left.bytes -= part.length;
      yield part;
    }
  }
  return {
    chunks,
    async take(count) {
      const parts: Buffer[] = [];
      for await (const part of chunks({ bytes: count })) parts.push(part);
      return Buffer.concat(parts);
    },
    async skip(count) {
      for await (const _ of chunks({ bytes: count }));
    },
  };
}

interface Header {
  readonly path: string;
  readonly type: string;
  readonly sizeBytes: number;
  /** Rounded up to whole blocks. */
  readonly padded: number;
}

function parseHeader(block: Buffer): Header | undefined {
  if (octal(block, 148, 8) !== checksum(block)) return undefined;
  const sizeBytes = octal(block, 124, 12);
  if (sizeBytes === undefined) return undefined;
  const flag = String.fromCharCode(block[156]!);
  // "\0" is the old and "7" an odd way to say regular file (POSIX.1, ustar interchange format).
  const type = flag === "\0" || flag === "7" ? "0" : flag;
  const name = textUntilZero(block.subarray(0, 100));
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? textUntilZero(block.subarray(345, 500)) : "";
  const path = prefix === "" ? name : `${prefix}/${name}`;
  // Only regular files and header records have a body; a size elsewhere means nothing.
  const size = "0LKxg".includes(type) ? sizeBytes : 0;
  return { path, type, sizeBytes: size, padded: Math.ceil(size / blockBytes) * blockBytes };
}

/** Undefined for anything but octal digits, so also for GNU's base-256 sizes from 8 GiB, which no limit allows. */
function octal(block: Buffer, offset: number, length: number): number | undefined {
  const text = block
    .toString("latin1", offset, offset + length)
    .replace(/[\0 ]+$/, "")
    .trimStart();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** Sum of the header's bytes with the checksum field taken as spaces. */
function checksum(block: Buffer): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0);
}

function textUntilZero(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}

/** The `path` of pax records, each of which is `LENGTH KEY=VALUE\n` with LENGTH counting all of it in bytes. */
function paxPath(body: Buffer): string | undefined {
  let path: string | undefined;
  for (let start = 0; start < body.length;) {
    const length = Number.parseInt(body.toString("latin1", start, start + 10), 10);
    if (!(length > 0)) return path;
    const [, key, value] = /^\d+ ([^=]*)=(.*)\n$/su.exec(body.toString("utf8", start, start + length)) ?? [];
    if (key === "path") path = value;
    start += length;
  }
  return path;
}

function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length += 1;
  return `${length} ${key}=${value}\n`;
}

/** `./a/b/` as `a/b`; the folder itself as the empty string. */
function cleanPath(path: string): string {
  return path
    .replace(/^(\.\/)+/, "")
    .replace(/\/+$/, "")
    .replace(/^\.$/, "");
}

function header(source: TarMember, type: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(source.path, 0, 100, "utf8");
  writeOctal(block, 100, 8, source.mode);
  writeOctal(block, 108, 8, 0);
  writeOctal(block, 116, 8, 0);
  writeOctal(block, 124, 12, sizeBytes);
  writeOctal(block, 136, 12, Math.max(0, Math.floor(source.modifiedAtMs / 1000)));
  block.write(type, 156, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  block.write(checksum(block).toString(8).padStart(6, "0") + "\0 ", 148, "latin1");
  return block;
}

function writeOctal(block: Buffer, offset: number, length: number, value: number): void {
  block.write(value.toString(8).padStart(length - 1, "0"), offset, "latin1");
}

function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}
