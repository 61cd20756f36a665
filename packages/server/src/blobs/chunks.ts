/** Cuts bytes, or a stream of them, into chunks of one size, and says which is the last. */

export interface Chunk {
  /** Valid until the next one is asked for. */
  readonly bytes: Uint8Array;
  readonly index: number;
  readonly isLast: boolean;
}

/** All chunks have `sizeBytes` bytes, save the last, which has fewer, perhaps none. Holds one chunk and one piece in memory. */
export async function* toChunks(
  content: Uint8Array | AsyncIterable<Uint8Array>,
  sizeBytes: number,
): AsyncGenerator<Chunk> {
  const pieces = content instanceof Uint8Array ? [content] : content;
  const chunk = Buffer.allocUnsafe(
    content instanceof Uint8Array ? Math.min(sizeBytes, content.length) : sizeBytes,
  );
  let filled = 0;
  let index = 0;
  for await (const piece of pieces) {
    let at = 0;
    while (at < piece.length) {
      // A full chunk is handed out only when more follows, since the last one is marked.
      if (filled === sizeBytes) {
        yield { bytes: chunk, index, isLast: false };
        index += 1;
        filled = 0;
      }
      const count = Math.min(sizeBytes - filled, piece.length - at);
      chunk.set(piece.subarray(at, at + count), filled);
      filled += count;
      at += count;
    }
  }
  yield { bytes: chunk.subarray(0, filled), index, isLast: true };
}
