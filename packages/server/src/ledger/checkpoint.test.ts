import { expect, test } from "vitest";
import {
  formatSigningKey,
  formatVerifierKey,
  parseSigningKey,
  parseVerifierKey,
  signCheckpoint,
  verifyCheckpoint,
} from "./checkpoint.ts";
import { emptyRoot } from "./merkle.ts";

const text = formatSigningKey("homeostat.local/test", Buffer.alloc(32, 7));
const key = parseSigningKey(text)!;
const verifier = parseVerifierKey(key.verifierKey)!;
const note = signCheckpoint({ origin: key.name, size: 5, root: emptyRoot }, key);

/** The key pair and the signed text of the package documentation of golang.org/x/mod/sumdb/note. */
const goSigner = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n";
const goVerifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

test("keys have the form that Go's note package documents", () => {
  expect(parseSigningKey(goSigner)?.verifierKey).toBe(goVerifier);
  expect(parseVerifierKey(goVerifier)).toMatchObject({ name: "PeterNeumann", id: "c74f20a3" });
});

test("a signed checkpoint verifies and tells origin, size and root", () => {
  expect(verifyCheckpoint(note, verifier)).toEqual({
    kind: "signed",
    checkpoint: { origin: "homeostat.local/test", size: 5, root: emptyRoot },
  });
  expect(note.split("\n")).toHaveLength(6);
});

test("every changed, removed or added byte of a checkpoint is refused", () => {
  const bytes = Buffer.from(note);
  for (let at = 0; at < bytes.length; at += 1) {
    for (const change of [1, 0x20, 0x80]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= change;
      expect(verifyCheckpoint(changed.toString(), verifier).kind).toBe("refused");
    }
    if (at >= note.length) continue;
    expect(verifyCheckpoint(note.slice(0, at) + note.slice(at + 1), verifier).kind).toBe("refused");
    expect(verifyCheckpoint(`${note.slice(0, at)}\n${note.slice(at)}`, verifier).kind).toBe("refused");
  }
});

test("the reason of a refusal is told", () => {
  const why = (text: string): string => {
    const result = verifyCheckpoint(text, verifier);
    return result.kind === "refused" ? result.why : "signed";
  };
  expect(why("")).toContain("not a checkpoint");
  expect(why(note.replace("\n5\n", "\n6\n"))).toContain("signature is wrong");
  expect(why(note.replace("47DEQpj8HBSa", "47DEQpj8HBSb"))).toContain("signature is wrong");
  expect(why(note.replace("\u2014 homeostat.local/test", "\u2014 somebody"))).toContain("signed by somebody");
  expect(why(note.replace(/hSuFU=/, "hSuFV="))).toContain("root is not base64");
  const loose = (digit: string): string => String.fromCharCode(digit.charCodeAt(0) + 1);
  expect(why(note.replace(/(.)=\n$/, (_, digit: string) => `${loose(digit)}=\n`))).toContain(
    "canonical base64",
  );
  const other = parseSigningKey(formatSigningKey("homeostat.local/test", Buffer.alloc(32, 8)))!;
  expect(why(signCheckpoint({ origin: key.name, size: 5, root: emptyRoot }, other))).toContain(
    "signed by homeostat.local/test",
  );
});

test("a key text with any changed byte is refused", () => {
  for (const [whole, parse] of [
    [text, parseSigningKey],
    [key.verifierKey, parseVerifierKey],
  ] as const) {
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole, "latin1");
      changed[at]! ^= 1;
      expect(parse(changed.toString("latin1"))).toBeUndefined();
    }
    expect(parse(`${whole}x`)).toBeUndefined();
    expect(parse("")).toBeUndefined();
  }
  expect(parseVerifierKey(formatVerifierKey("two words", Buffer.alloc(32)))).toBeUndefined();
  expect(parseVerifierKey("name+00000000+AAAA")).toBeUndefined();
  expect(parseSigningKey("PRIVATE+KEY+name+00000000+AAAA\n")).toBeUndefined();
  expect(parseSigningKey(text.replaceAll("homeostat.local/test", "two words"))).toBeUndefined();
});
