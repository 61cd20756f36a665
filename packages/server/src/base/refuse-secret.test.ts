import { expect, test } from "vitest";
import { refuseSecret } from "./refuse-secret.ts";

const holdsSecret = (text: string): boolean => text.includes("hunter2");

test("a text with a secret is refused at its place, without being repeated; others and none at all pass", () => {
  const where = { what: "The reason", path: "body.reason" };
  refuseSecret(holdsSecret, null, where);
  refuseSecret(holdsSecret, "wrong folder", where);
  let refusal: unknown;
  try {
    refuseSecret(holdsSecret, "the password was hunter2", where);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({
    code: "REQUEST_INVALID",
    message: "The reason holds what looks like a secret (a key, token or password)",
    place: { path: "body.reason" },
  });
  expect(String(refusal)).not.toContain("hunter2");
});
