/** Reads a request's body into one piece of memory, made once where its length is told: gathered pieces would take it twice. */
import { errorMessage, HomeostatError } from "../base/error.ts";

/** As much as is made ready on the word of a sender; the system gives memory only where something is written. */
const mostToldBytes = 256 * 1024 * 1024;
const firstBytes = 64 * 1024;

/**
 * `told` is the Content-Length header. Throws REQUEST_TOO_LARGE, as early as it is known, and REQUEST_MALFORMED when the body has
 * another length or breaks off.
 */
export async function readBody(
  pieces: AsyncIterable<Uint8Array>,
  { limitBytes, told }: { readonly limitBytes: number; readonly told: string | undefined },
): Promise<Buffer> {
  const toldBytes = told === undefined ? null : Number(told);
  if (toldBytes !== null && toldBytes > limitBytes) throw tooLarge(limitBytes);
  let body = Buffer.allocUnsafeSlow(Math.min(toldBytes ?? firstBytes, mostToldBytes));
  let length = 0;
  for await (const piece of whole(pieces)) {
    const needed = length + piece.length;
    if (needed > limitBytes) throw tooLarge(limitBytes);
    if (needed > body.length) body = grown(body.subarray(0, length), Math.max(needed, 2 * body.length));
    body.set(piece, length);
    length = needed;
  }
  if (toldBytes !== null && toldBytes !== length)
    throw new HomeostatError(
      "REQUEST_MALFORMED",
      `Content-Length is ${toldBytes}, and the body has ${length} bytes`,
    );
  return body.subarray(0, length);
}

async function* whole(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    const message = `The body broke off: ${errorMessage(error)}`;
    throw new HomeostatError("REQUEST_MALFORMED", message, {}, { cause: error });
  }
}

function grown(bytes: Uint8Array, sizeBytes: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(sizeBytes);
  larger.set(bytes);
  return larger;
}

function tooLarge(limitBytes: number): HomeostatError {
  return new HomeostatError("REQUEST_TOO_LARGE", `The body is larger than ${limitBytes} bytes`, {
    limitBytes,
  });
}
