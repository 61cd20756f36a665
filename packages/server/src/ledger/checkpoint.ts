/** The signed tree head: a C2SP tlog-checkpoint inside a C2SP signed note (Ed25519), its keys as text, signing and verifying. Pure. */
import { createPrivateKey, createPublicKey, hash, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { hashBytes } from "./tile.ts";
import type { Hash } from "./merkle.ts";

/** The log's signer. `verifierKey` is the public half as text (`name+id+base64`), as Go's note package and all C2SP tools read it. */
export interface SigningKey {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly verifierKey: string;
}

export interface VerifierKey {
  readonly name: string;
  /** First four bytes of SHA-256(name, newline, type, public key), as eight hex digits. */
  readonly id: string;
  readonly publicKey: KeyObject;
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

export type CheckpointResult =
  | { readonly kind: "signed"; readonly checkpoint: Checkpoint }
  | { readonly kind: "refused"; readonly why: string };

/** Key names hold neither spaces nor plus signs. */
const keyNamePattern: RegExp = /^[\x21-\x2a\x2c-\x7e]{1,255}$/;

/** Text of the private key in the form of Go's note.GenerateKey: `PRIVATE+KEY+name+id+base64(type, seed)`. */
export function formatSigningKey(name: string, seed: Uint8Array): string {
  const id = keyId(name, publicBytes(createPublicKey(privateFromSeed(seed))));
  return `PRIVATE+KEY+${name}+${id}+${Buffer.from([ed25519Type, ...seed]).toString("base64")}\n`;
}

/** The key of a text that `formatSigningKey` would write byte for byte, or undefined. */
export function parseSigningKey(text: string): SigningKey | undefined {
  const match = /^PRIVATE\+KEY\+([^+]+)\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)\n$/.exec(text);
  if (match === null) return undefined;
  const [, name, encoded] = match as unknown as [string, string, string];
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.length !== 1 + seedBytes || !keyNamePattern.test(name)) return undefined;
  if (formatSigningKey(name, bytes.subarray(1)) !== text) return undefined;
  const privateKey = privateFromSeed(bytes.subarray(1));
  return { name, privateKey, verifierKey: formatVerifierKey(name, publicBytes(createPublicKey(privateKey))) };
}

/** `name+id+base64(type, public key)`, without a newline. */
export function formatVerifierKey(name: string, publicKey: Uint8Array): string {
  return `${name}+${keyId(name, publicKey)}+${Buffer.from([ed25519Type, ...publicKey]).toString("base64")}`;
}

/** The key of a text that `formatVerifierKey` would write byte for byte, or undefined. */
export function parseVerifierKey(text: string): VerifierKey | undefined {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text);
  if (match === null) return undefined;
  const [, name, id, encoded] = match as unknown as [string, string, string, string];
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.length !== 1 + publicKeyBytes || !keyNamePattern.test(name)) return undefined;
  const raw = bytes.subarray(1);
  if (formatVerifierKey(name, raw) !== text) return undefined;
  const publicKey = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: "der", type: "spki" });
  return { name, id, publicKey };
}

/** The note's text and one signature line. About 25 us. */
export function signCheckpoint({ origin, size, root }: Checkpoint, key: SigningKey): string {
  const text = `${origin}\n${size}\n${Buffer.from(root, "latin1").toString("base64")}\n`;
  const id = key.verifierKey.slice(key.name.length + 1, key.name.length + 9);
  const signature = sign(null, Buffer.from(text), key.privateKey);
  return `${text}\n\u2014 ${key.name} ${Buffer.concat([Buffer.from(id, "hex"), signature]).toString("base64")}\n`;
}

/**
 * Reads a checkpoint strictly: no extension lines, every number and base64 in its one canonical form, and exactly the signature
 * of `key`. A log's own file holds nothing else, so that every changed byte of it is noticed.
 */
export function verifyCheckpoint(note: string, key: VerifierKey): CheckpointResult {
  const match =
    /^([^\n]+)\n(0|[1-9]\d{0,14})\n([A-Za-z0-9+/]{43}=)\n\n\u2014 ([^\n ]+) ([A-Za-z0-9+/]+={0,2})\n$/.exec(
      note,
    );
  if (match === null) return refused("it is not a checkpoint with one signature");
  const [, origin, size, root, name, encoded] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const rootBytes = Buffer.from(root, "base64");
  const signature = Buffer.from(encoded, "base64");
  if (rootBytes.length !== hashBytes || rootBytes.toString("base64") !== root)
    return refused("its root is not base64 of 32 bytes");
  if (signature.toString("base64") !== encoded) return refused("its signature is not canonical base64");
  if (name !== key.name || signature.subarray(0, 4).toString("hex") !== key.id) {
    return refused(`it is signed by ${name}, not by ${key.name}+${key.id}`);
  }
  const text = note.slice(0, note.indexOf("\n\n") + 1);
  if (!verify(null, Buffer.from(text), key.publicKey, signature.subarray(4)))
    return refused("its signature is wrong");
  return { kind: "signed", checkpoint: { origin, size: Number(size), root: rootBytes.toString("latin1") } };
}

const ed25519Type = 1;
const seedBytes = 32;
const publicKeyBytes = 32;
/** DER around a raw Ed25519 key (RFC 8410): the raw key is the rest. */
const pkcs8Prefix: Buffer = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiPrefix: Buffer = Buffer.from("302a300506032b6570032100", "hex");

function privateFromSeed(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
}

function publicBytes(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" }).subarray(spkiPrefix.length);
}

function keyId(name: string, publicKey: Uint8Array): string {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ed25519Type]), publicKey]);
  return hash("sha256", input, "hex").slice(0, 8);
}

function refused(why: string): CheckpointResult {
  return { kind: "refused", why };
}
