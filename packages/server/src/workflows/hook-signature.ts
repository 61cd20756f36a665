/** Signatures of webhooks as https://www.standardwebhooks.com has them: HMAC-SHA256 over id, time and body. Pure. */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface SignedRequest {
  /** `webhook-id`: the same for every delivery of one event. */
  readonly id: string | undefined;
  /** `webhook-timestamp`: seconds since 1970. */
  readonly timestamp: string | undefined;
  /** `webhook-signature`: one or several `v1,BASE64`, separated by spaces. */
  readonly signature: string | undefined;
  readonly body: Uint8Array;
}

/** How far the sender's clock may be off; the specification's own figure. */
export const toleranceMs = 5 * 60_000;

const prefix = "whsec_";

/** Undefined when the request is genuine and fresh, else what is wrong with it: for the log, not for the caller. */
export function signatureProblem(request: SignedRequest, secret: string, nowMs: number): string | undefined {
  const { id, timestamp, signature, body } = request;
  if (id === undefined || timestamp === undefined || signature === undefined)
    return "webhook-id, webhook-timestamp or webhook-signature is missing";
  if (id === "" || id.length > 255) return "webhook-id is empty or too long";
  if (!/^\d{1,12}$/.test(timestamp)) return "webhook-timestamp is no time";
  if (Math.abs(nowMs - Number(timestamp) * 1000) > toleranceMs) return "webhook-timestamp is not of now";
  const expected = Buffer.from(sign({ id, timestamp, body }, secret));
  const isGenuine = signature
    .split(" ")
    .slice(0, 20)
    .map((each) => Buffer.from(each))
    .some((each) => each.length === expected.length && timingSafeEqual(each, expected));
  return isGenuine ? undefined : "no signature fits";
}

/** `v1,BASE64`, as a sender makes it. */
export function sign(
  { id, timestamp, body }: { readonly id: string; readonly timestamp: string; readonly body: Uint8Array },
  secret: string,
): string {
  const key = Buffer.from(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret, "base64");
  const hmac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  return `v1,${hmac.digest("base64")}`;
}

/** 32 random bytes in the form senders take. */
export function createHookSecret(random: (bytes: number) => Buffer): string {
  return `${prefix}${random(32).toString("base64")}`;
}
