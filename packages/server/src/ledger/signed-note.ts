/** Any short text signed by the ledger's key, as a C2SP signed note: for what lies beside the ledger, such as a backup. Pure. */
import { sign, verify } from "node:crypto";
import type { SigningKey, VerifierKey } from "./checkpoint.ts";

/**
 * `text` ends with a line end and has no blank line. Its first line must say what kind of note it is and be no ledger's name, so
 * that a note is never taken for a checkpoint.
 */
export function signNote(text: string, key: SigningKey): string {
  const id = key.verifierKey.slice(key.name.length + 1, key.name.length + 9);
  const signature = sign(null, Buffer.from(text), key.privateKey);
  return `${text}\n\u2014 ${key.name} ${Buffer.concat([Buffer.from(id, "hex"), signature]).toString("base64")}\n`;
}

/** The text that `key` signed, or undefined when the note is not of this form or not by this key. */
export function openNote(note: string, key: VerifierKey): string | undefined {
  const match = /^((?:[^\n]+\n)+)\n\u2014 ([^\n ]+) ([A-Za-z0-9+/]+={0,2})\n$/.exec(note);
  if (match === null) return undefined;
  const [, text, name, encoded] = match as unknown as [string, string, string, string];
  const signature = Buffer.from(encoded, "base64");
  if (name !== key.name || signature.subarray(0, 4).toString("hex") !== key.id) return undefined;
  return verify(null, Buffer.from(text), key.publicKey, signature.subarray(4)) ? text : undefined;
}
