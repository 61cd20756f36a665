/** A bucket of an S3 server: the few calls that blobs need, with time limits, retries and errors that say what to do. */
import type { FileHandle } from "node:fs/promises";
import type { GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { errorMessage, HomeostatError } from "../base/error.ts";
import type { S3Place } from "./s3-place.ts";

export interface S3Bucket {
  /** Bytes of the object, undefined when there is none. */
  size(key: string): Promise<number | undefined>;
  get(
    key: string,
  ): Promise<{ readonly sizeBytes: number; readonly body: AsyncIterable<Uint8Array> } | undefined>;
  /** Whole or not at all. `onlyIfAbsent` leaves an object that is there alone. */
  put(key: string, content: Buffer, options?: { readonly onlyIfAbsent: boolean }): Promise<void>;
  /** The same for a large file, part by part. */
  putFile(key: string, file: FileHandle, sizeBytes: number): Promise<void>;
  /** All keys below a prefix, in order. */
  list(prefix: string): AsyncIterable<string>;
  remove(keys: readonly string[]): Promise<void>;
  /** Ends uploads that began and never ended. */
  abortUploads(prefix: string): Promise<void>;
  /** Throws BLOB_STORE_UNAVAILABLE when the bucket cannot be used. */
  check(): Promise<void>;
  close(): void;
}

/** Uploads hold one part in memory; 10,000 parts of it are 156 GiB. S3 wants 5 MiB at least. */
export const partBytes: number = 16 * 1024 * 1024;

const connectTimeoutMs = 5_000;
/** Without a byte for so long; a part of 16 MiB takes far less on any line that is worth having. */
const requestTimeoutMs = 60_000;
const attempts = 5;

/** The library takes 300 ms to load, so it is loaded with the first bucket. Throws nothing about the bucket; see `check`. */
export async function openS3Bucket(place: S3Place): Promise<S3Bucket> {
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    region: place.region,
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
    forcePathStyle: place.pathStyle,
    // Undefined: the standard chain (environment, files, the machine's role).
    ...(place.credentials === undefined ? {} : { credentials: place.credentials }),
    maxAttempts: attempts,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
    // Our own format authenticates every byte, and servers other than Amazon's refuse the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return createBucket(sdk, client, place);
}

type Sdk = typeof import("@aws-sdk/client-s3");

function createBucket(sdk: Sdk, client: S3Client, place: S3Place): S3Bucket {
  const Bucket = place.bucket;
  const telling = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw unavailable(place, what, error);
    }
  };
  return {
    size: (key) =>
      telling(`looking for ${key}`, async () => {
        const found = await absentAsUndefined(client.send(new sdk.HeadObjectCommand({ Bucket, Key: key })));
        return found && Number(found.ContentLength);
      }),
    get: (key) =>
      telling(`reading ${key}`, async () => {
        const found = await absentAsUndefined(client.send(new sdk.GetObjectCommand({ Bucket, Key: key })));
        if (found === undefined) return undefined;
        return { sizeBytes: Number(found.ContentLength), body: bodyOf(found, place, key) };
      }),
    put: (key, content, options) =>
      telling(`writing ${key}`, () => putObject({ sdk, client, Bucket }, key, { content, ...options })),
    putFile: (key, file, sizeBytes) =>
      telling(`writing ${key}`, () => upload({ sdk, client, Bucket }, key, { file, sizeBytes })),
    list: (prefix) => listObjects({ sdk, client, Bucket }, prefix, telling),
    remove: (keys) =>
      telling(`removing ${keys.length} objects`, async () => {
        const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
        const { Errors } = await client.send(new sdk.DeleteObjectsCommand({ Bucket, Delete }));
        const [first] = Errors ?? [];
        if (first !== undefined) throw new Error(`${first.Key}: ${first.Code} ${first.Message}`);
      }),
    abortUploads: (prefix) => abortUploads({ sdk, client, Bucket }, prefix, telling),
    check: () =>
      telling(
        "looking for the bucket",
        async () => void (await client.send(new sdk.HeadBucketCommand({ Bucket }))),
      ),
    close: () => client.destroy(),
  };
}

interface Calls {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly Bucket: string;
}

async function putObject(
  { sdk, client, Bucket }: Calls,
  Key: string,
  { content, onlyIfAbsent = false }: { readonly content: Buffer; readonly onlyIfAbsent?: boolean },
): Promise<void> {
  const command = { Bucket, Key, Body: content, ContentLength: content.length };
  const condition = onlyIfAbsent ? { IfNoneMatch: "*" } : {};
  try {
    await client.send(new sdk.PutObjectCommand({ ...command, ...condition }));
  } catch (error) {
    // Somebody else wrote the same bytes first; or the server knows no conditions, and the same bytes come again.
    if (statusOf(error) === 412) return;
    if (statusOf(error) !== 501) throw error;
    await client.send(new sdk.PutObjectCommand(command));
  }
}

async function* listObjects(
  { sdk, client, Bucket }: Calls,
  Prefix: string,
  telling: <T>(what: string, work: () => Promise<T>) => Promise<T>,
): AsyncGenerator<string> {
  let token: string | undefined;
  do {
    const next = token === undefined ? {} : { ContinuationToken: token };
    const page = await telling(`listing ${Prefix}`, () =>
      client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix, ...next })),
    );
    // The fields of an answer are optional only in the types.
    for (const { Key } of page.Contents ?? []) yield Key!;
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

async function upload(
  { sdk, client, Bucket }: Calls,
  Key: string,
  { file, sizeBytes }: { readonly file: FileHandle; readonly sizeBytes: number },
): Promise<void> {
  const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key }));
  const ids = { Bucket, Key, UploadId };
  try {
    const Parts: { ETag: string | undefined; PartNumber: number }[] = [];
    const part = Buffer.alloc(Math.min(partBytes, sizeBytes));
    for (let at = 0; at < sizeBytes; at += partBytes) {
      const length = Math.min(partBytes, sizeBytes - at);
      await file.read(part, 0, length, at);
      const PartNumber = Parts.length + 1;
      const Body = part.subarray(0, length);
      const sent = await client.send(
        new sdk.UploadPartCommand({ ...ids, PartNumber, Body, ContentLength: length }),
      );
      Parts.push({ ETag: sent.ETag, PartNumber });
    }
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...ids, MultipartUpload: { Parts } }));
  } catch (error) {
    await client.send(new sdk.AbortMultipartUploadCommand(ids)).catch(() => {
      // The first error says what is wrong; a rule of the bucket ends uploads that are left.
    });
    throw error;
  }
}

async function abortUploads(
  { sdk, client, Bucket }: Calls,
  prefix: string,
  telling: <T>(what: string, work: () => Promise<T>) => Promise<T>,
): Promise<void> {
  await telling(`ending uploads below ${prefix}`, async () => {
    const list = new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: prefix });
    const found = await client.send(list).catch((error: unknown) => {
      // Not every server can list them; what they hold is encrypted with the key that is gone.
      if (statusOf(error) === 501 || statusOf(error) === 405) return { Uploads: [] };
      throw error;
    });
    for (const { Key, UploadId } of found.Uploads ?? [])
      await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  });
}

/** A connection that breaks in the middle must be told like any other fault of the server. */
async function* bodyOf(
  found: GetObjectCommandOutput,
  place: S3Place,
  key: string,
): AsyncGenerator<Uint8Array> {
  try {
    // On Node the body is a Readable.
    yield* found.Body as unknown as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw unavailable(place, `reading ${key}`, error);
  }
}

async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const isAbsent = statusOf(error) === 404 && (error as Error).name !== "NoSuchBucket";
    if (isAbsent) return undefined;
    throw error;
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function unavailable(place: S3Place, what: string, error: unknown): HomeostatError {
  const { name } = error as Error;
  const hint =
    hints[name] ?? (statusOf(error) === undefined ? hints["unreachable"]! : hints[statusOf(error)!]);
  const text = `The bucket ${place.shown} failed at ${what}: ${describeFailure(error)}`;
  const data = { bucket: place.shown };
  return new HomeostatError("BLOB_STORE_UNAVAILABLE", text, data, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** HEAD has no body, so the library knows only "UnknownError"; a host with several addresses fails at each of them. Pure. */
export function describeFailure(error: unknown): string {
  const status = statusOf(error);
  if (status === 403) return "access denied (403)";
  if (status === 404) return "there is no such bucket (404)";
  const message =
    error instanceof AggregateError ? error.errors.map(errorMessage).join("; ") : errorMessage(error);
  return `${message}${status === undefined ? "" : ` (${status})`}`;
}

const hints: Readonly<Record<string, string>> = {
  404: "Create the bucket, or correct its name in blobs.url.",
  NoSuchBucket: "Create the bucket, or correct its name in blobs.url.",
  403: "Correct the credentials, or grant them GetObject, PutObject, DeleteObject and ListBucket on the bucket.",
  CredentialsProviderError:
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or blobs.accessKeyId and blobs.secretAccessKey.",
  unreachable: "Look at the endpoint in blobs.url and at whether the S3 server is up.",
  301: "The bucket is in another region; set ?region= in blobs.url.",
};
