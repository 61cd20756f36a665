/** Opens the blobs where the configuration says that they lie, a folder or a bucket, with the master key that belongs to them. */
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import type { Store } from "../store/store.ts";
import type { BlobReader, BlobStore } from "./blob.ts";
import { openFolderDepot } from "./depot.ts";
import type { BlobDepot } from "./depot.ts";
import { unwrapKey, wrapKey } from "./encrypt.ts";
import { createFolderBlobs, createFolderReader } from "./folder.ts";
import { masterKeyPath, openMasterKey, parseMasterKey, readMasterKey } from "./keys.ts";
import { createS3Blobs, createS3Depot, createS3Reader } from "./s3.ts";
import { openS3Bucket } from "./s3-bucket.ts";
import { parseS3Place } from "./s3-place.ts";

export interface BlobSettings {
  /** `s3://...`; the folder when undefined. */
  readonly url: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  /** 64 hex digits; the file `keys/blob-master.key` when undefined. */
  readonly masterKey: string | undefined;
}

export interface BlobPlaces {
  readonly settings: BlobSettings;
  /** Of the data folder. */
  readonly folder: string;
  readonly keysFolder: string;
  readonly scratchFolder: string;
}

/**
 * Makes the master key on first start. Throws BLOB_KEYS_UNUSABLE, also when another key belongs to this database; CONFIG_INVALID;
 * BLOB_STORE_UNAVAILABLE when the bucket cannot be used.
 */
export async function openBlobs(
  places: BlobPlaces,
  { store, clock }: { readonly store: Pick<Store, "read" | "write">; readonly clock: Clock },
): Promise<BlobStore> {
  const { settings, folder, scratchFolder } = places;
  const master = await findMaster(places, openMasterKey);
  await requireOwnMaster(store, master, () => store.write([recordMaster(master, clock.now())]));
  const s3 = findS3Place(settings);
  if (s3 === undefined) return createFolderBlobs({ folder, master, store, clock });
  const bucket = await openS3Bucket(s3);
  await bucket.check();
  return createS3Blobs({ bucket, prefix: s3.prefix, master, store, clock, scratchFolder });
}

/** For reading alone: makes no key, no file and no object. Throws as `openBlobs`, also when there is no master key. */
export async function openBlobsReader(places: BlobPlaces, store: Pick<Store, "read">): Promise<BlobReader> {
  const master = await findMaster(places, readMasterKey);
  await requireOwnMaster(store, master, () => Promise.resolve());
  const s3 = findS3Place(places.settings);
  if (s3 === undefined) return createFolderReader({ folder: places.folder, master, store });
  return createS3Reader({ bucket: await openS3Bucket(s3), prefix: s3.prefix, master, store });
}

/** The encrypted blobs themselves, for backups. Throws CONFIG_INVALID. */
export async function openDepot({ settings, folder, scratchFolder }: BlobPlaces): Promise<BlobDepot> {
  const s3 = findS3Place(settings);
  if (s3 === undefined) return openFolderDepot(folder);
  return createS3Depot({ bucket: await openS3Bucket(s3), prefix: s3.prefix, scratchFolder });
}

/** What may be shown of where blobs lie, after a look whether they can be reached. Throws CONFIG_INVALID, BLOB_STORE_UNAVAILABLE. */
export async function checkBlobs({
  settings,
  folder,
}: Pick<BlobPlaces, "settings" | "folder">): Promise<string> {
  const s3 = findS3Place(settings);
  if (s3 === undefined) return folder;
  const bucket = await openS3Bucket(s3);
  try {
    await bucket.check();
    return s3.shown;
  } finally {
    bucket.close();
  }
}

function findS3Place({
  url,
  accessKeyId,
  secretAccessKey,
}: BlobSettings): ReturnType<typeof parseS3Place> | undefined {
  if (url === undefined) return undefined;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    const hint = "Set both, or none for the standard chain (AWS_ACCESS_KEY_ID, files, the machine's role).";
    const text = "Of blobs.accessKeyId and blobs.secretAccessKey only one is set";
    throw new HomeostatError("CONFIG_INVALID", text, {}, { hint });
  }
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
  return parseS3Place(url, credentials);
}

async function findMaster(
  { settings, keysFolder }: BlobPlaces,
  open: (path: string) => Promise<Buffer>,
): Promise<Buffer> {
  return settings.masterKey === undefined
    ? await open(masterKeyPath(keysFolder))
    : parseMasterKey(settings.masterKey, "blobs.masterKey");
}

/** A row of the subjects' keys that wraps nothing of worth: whoever opens it has the right master key. */
const witness = "master-key-witness";

function recordMaster(master: Buffer, nowMs: number) {
  return {
    sql: "INSERT INTO blob_keys (subject, wrapped, created_at_ms) VALUES (?, ?, ?)",
    params: [witness, wrapKey(master, witness, Buffer.alloc(32)), nowMs],
  };
}

/** A second host with a key of its own would write what nobody else can read, and would find all else damaged. */
async function requireOwnMaster(
  store: Pick<Store, "read">,
  master: Buffer,
  record: () => Promise<unknown>,
): Promise<void> {
  const sql = "SELECT wrapped FROM blob_keys WHERE subject = ?";
  let [row] = await store.read(sql, [witness]);
  if (row === undefined) {
    await record().catch((error: unknown) => {
      // Another process was faster; its key is compared with ours.
      if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
    });
    [row] = await store.read(sql, [witness]);
  }
  if (row === undefined) return;
  try {
    unwrapKey(master, witness, String(row["wrapped"]));
  } catch (error) {
    const hint =
      "Every host of one database needs the same key: copy keys/blob-master.key from the first one, or set blobs.masterKey; see docs/deploy.md.";
    const text = "The master key here is not the one with which the blobs of this database are encrypted";
    throw new HomeostatError("BLOB_KEYS_UNUSABLE", text, {}, { cause: error, hint });
  }
}

/** Where the data folder keeps its own blobs. */
export function blobPlaces(
  home: { readonly blobs: string; readonly keys: string; readonly scratch: string },
  settings: BlobSettings,
): BlobPlaces {
  return { settings, folder: home.blobs, keysFolder: home.keys, scratchFolder: join(home.scratch, "blobs") };
}
