/** Prefixes by which issuers make their keys recognisable, as their documentation gives them. */
import { keyMark, tokenMark } from "./marks.ts";
import type { Mark } from "./marks.ts";

/** `base64url`: letters, digits, `_`, `-`; `dotted` adds `.`, `path` adds `/`, `base64` is the plain alphabet with `+/=`. */
export type TokenBody =
  "upper" | "hex" | "alphanumeric" | "word" | "base64url" | "dotted" | "path" | "base64";

export interface TokenRule {
  readonly prefix: string;
  readonly mark: Mark;
  readonly body: TokenBody;
  /** The fewest characters after the prefix that make a token. */
  readonly least: number;
  /** The body has exactly `least` characters and then ends. */
  readonly isExact: boolean;
  /** Prefixes that words share: the body must hold a digit and 16 letters or digits in a row. */
  readonly isStrict: boolean;
}

/** Longer prefixes stand before those they begin with; the first rule that fits wins. */
export function tokenRules(): readonly TokenRule[] {
  return [
    ...rules("hst_", tokenMark, "base64url", 16),
    ...exactly("AKIA ASIA ABIA ACCA", keyMark, "upper", 16),
    ...exactly("LTAI", keyMark, "alphanumeric", 20),
    ...exactly("AIza", keyMark, "base64url", 35),
    ...rules("GOCSPX-", keyMark, "base64url", 24),
    ...rules("ya29.", tokenMark, "base64url", 20),
    ...rules("ghp_ gho_ ghu_ ghs_ ghr_", tokenMark, "alphanumeric", 30),
    ...rules("github_pat_", tokenMark, "word", 22),
    ...rules("glpat- gldt- glptt- glrt- glsoat- glcbt- glft- glagent- gloas-", tokenMark, "dotted", 16),
    ...rules("xoxb- xoxa- xoxp- xoxr- xoxs- xoxe- xoxc- xoxd- xoxe. xapp-", tokenMark, "dotted", 10),
    ...rules("hooks.slack.com/services/ discord.com/api/webhooks/", tokenMark, "path", 20),
    ...rules("sk-ant- sk-proj- sk-svcacct- sk-admin- sk-or-v1- sk-lf-", keyMark, "base64url", 16),
    ...rules("sk-", keyMark, "base64url", 20, { isStrict: true }),
    ...rules("sk_live_ sk_test_ rk_live_ rk_test_ whsec_ sk_prod_ rk_prod_", keyMark, "base64url", 10),
    ...rules("SG.", keyMark, "dotted", 40),
    ...exactly("SK", keyMark, "hex", 32),
    ...rules("npm_", tokenMark, "alphanumeric", 30),
    ...rules("pypi-", tokenMark, "base64url", 50),
    ...rules("rubygems_ dop_v1_ doo_v1_ dor_v1_ sbp_ pul- pnu_", tokenMark, "alphanumeric", 30),
    ...rules("hf_ api_org_ r8_ gsk_ xai- pplx- nvapi- tvly-", tokenMark, "base64url", 24),
    ...rules("dapi", tokenMark, "hex", 32),
    ...rules("dp.pt. dp.st. dp.ct. dp.sa. hvs. hvb. hvr. dt0c01.", tokenMark, "dotted", 24),
    ...rules(
      "lin_api_ ntn_ shpat_ shpca_ shppa_ shpss_ tfp_ nfp_ figd_ phc_ phx_",
      tokenMark,
      "base64url",
      24,
    ),
    ...rules("sq0atp- sq0csp- PMAK- HRKU- CFPAT- NRAK- EZAK EZTK", tokenMark, "base64url", 20, {
      isStrict: true,
    }),
    ...rules(
      "pscale_tkn_ pscale_pw_ pscale_oauth_ sntryu_ glc_ glsa_ CLOJARS_ shippo_live_",
      tokenMark,
      "dotted",
      24,
    ),
    ...rules("sntrys_ fm2_ ops_eyJ", tokenMark, "base64", 32),
    ...rules("ATATT3 ATCTT3 AKCp", tokenMark, "base64url", 40),
    ...rules("AGE-SECRET-KEY-1", keyMark, "upper", 40),
    ...rules("key-", keyMark, "hex", 32),
  ];
}

function rules(
  prefixes: string,
  mark: Mark,
  body: TokenBody,
  least: number,
  { isExact = false, isStrict = false }: { readonly isExact?: boolean; readonly isStrict?: boolean } = {},
): TokenRule[] {
  return prefixes.split(" ").map((prefix) => ({ prefix, mark, body, least, isExact, isStrict }));
}

function exactly(prefixes: string, mark: Mark, body: TokenBody, least: number): TokenRule[] {
  return rules(prefixes, mark, body, least, { isExact: true });
}
