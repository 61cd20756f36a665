import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { createFindingCollector } from "../../base/finding.ts";
import { readWithLibrary, yamlValue } from "../../base/yaml-source.ts";
import { defaultPolicyPath } from "../force/active-policy.ts";
import { parsePolicyFiles } from "./policy-file.ts";
import { policyJsonSchema } from "./policy-schema.ts";

const validate = new Ajv2020({
  strict: true,
  strictRequired: false,
  validateFormats: false,
  allowUnionTypes: true,
}).compile(policyJsonSchema());

function isValid(text: string): boolean {
  const read = readWithLibrary(text, createFindingCollector());
  if (!read.ok) throw new Error(text);
  return validate(yamlValue(read.root));
}

const docs = ["policy.md", "data-flow.md", "approvals.md"].flatMap((name) => {
  const text = readFileSync(join(import.meta.dirname, "../../../../../docs", name), "utf8");
  return [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""], index) => ({ name: `${name} ${index + 1}`, block }));
}); // prettier-ignore
const policies = docs
  .map(({ name, block }) => ({
    name,
    text: block.startsWith("version:") ? block : `version: 1\nrules:\n${block}`,
  }))
  .filter(({ text }) => parsePolicyFiles([{ name: "a", text }]).ok);

describe("the JSON schema for editors", () => {
  test("accepts the shipped policy", () => {
    expect({ valid: isValid(readFileSync(defaultPolicyPath, "utf8")), errors: validate.errors }).toEqual({ valid: true, errors: null });
  }); // prettier-ignore

  test.each(policies)("accepts the policy of $name", ({ text }) => {
    expect({ valid: isValid(text), errors: validate.errors }).toEqual({ valid: true, errors: null });
  });

  const rule = (more: string): string =>
    `version: 1\nrules:\n  - { name: a, effect: ask, action: x, ${more} }\n`;
  test.each([
    rule("efect: deny"),
    rule("where: [{ arg: a, op: gt, value: x }]"),
    rule("where: [{ arg: a, op: gtt, value: 1 }]"),
    rule("where: { payee: { from: nowhere } }"),
    rule("where: { nobody: { from: trusted } }"),
    rule("labels_any: [wed]"),
    rule("risk_score: 50"),
    rule("risk_score: { from: 0 }"),
    rule("risk_score: { from: 50, up_to: 60 }"),
    rule("scope: {}"),
    rule("scope: { team: x }"),
    rule("when: { days: [tues] }"),
    rule("when: { from: 9am, to: 17:00 }"),
    rule("approval: { quorum: 0 }"),
    rule("approval: { expires: soon }"),
    rule("sandbox: strong"),
    rule("timeout: -1"),
    rule("rate: { count: 5 }"),
    rule("after: { within: 500 }"),
    "version: 2\nrules: []\n",
    "rules: []\n",
    "version: 1\nrule: []\n",
    "version: 1\nrisk: { ask: 101 }\nrules: []\n",
    "version: 1\nsections: [{ rules: [] }]\n",
  ])("refuses what the reader refuses: %s", (text) => {
    expect(parsePolicyFiles([{ name: "policy.yaml", text }]).ok).toBe(false);
    expect(isValid(text)).toBe(false);
  });

  test("stands in docs/reference as it is", () => {
    const path = join(import.meta.dirname, "../../../../../docs/reference/policy.schema.json");
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(policyJsonSchema());
  });
});
