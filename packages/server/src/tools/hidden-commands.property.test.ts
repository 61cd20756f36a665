import fc from "fast-check";
import { expect, test } from "vitest";
import { findProgramCommands } from "./code-commands.ts";

/** Ways to run `canary` that shells and their usual commands have. */
const simple = fc.constantFrom(
  "canary", "x=$(canary) ls", "eval 'canary'", "bash -c 'canary x'", "timeout 5 canary", "env A=1 canary", "env -S 'canary x'", "xargs canary",
  "find . -exec canary {} \\;", "nice -n 3 canary", "trap 'canary' EXIT", "command canary", "exec canary", "sh <<'E'\ncanary\nE", "sh <<< canary",
  "[[ -v 'a[$(canary)]' ]]", "let 'a[$(canary)]'", "printf -v 'a[0+$(canary)]' x", "read 'a[$(canary)]'", "awk 'BEGIN { system(\"canary\") }'",
  "awk '/x|y/ { print | \"canary\" }'", "sed '/[/]/e canary' f", "sed -n 's,a,b,;1,5{p;e canary\n}' f", "git -c core.pager=canary log",
  "tar xf a --to-command=canary", "cat <<E\n$(canary)\nE", "alias q='canary'", "a[$(canary)]=1", "jobs -x canary", "ed f <<'E'\n!canary\nE",
  "sqlite3 a.db '.shell canary'", "python3 -c 'import os; os.system(\"canary\")'", "PS4='$(canary)'", "coproc canary", "flock l -c canary",
); // prettier-ignore

const quiet = fc.constantFrom("ls -l", "echo 'b c' $x", "sort a*", "true", "x=1", "((i++))", "[[ -f a ]]");

/** A program with `canary` in one place. */
const { program } = fc.letrec<{ program: string }>((tie) => {
  const inner = tie("program");
  return {
    program: fc.oneof(
      { maxDepth: 5 },
      simple,
      fc.tuple(quiet, inner).map(([one, two]) => `${one}\n${two}`),
      fc.tuple(inner, quiet).map(([one, two]) => `${one}\n${two}`),
      fc.tuple(inner, quiet).map(([one, two]) => `if ${one}\nthen ${two}\nfi`),
      fc.tuple(quiet, inner).map(([one, two]) => `while ${one}\ndo ${two}\ndone`),
      inner.map((one) => `for i in a b; do ${one}\ndone`),
      inner.map((one) => `( ${one}\n)`),
      inner.map((one) => `f() { ${one}\n}`),
      inner.map((one) => `case x in a) ${one}\n;; esac`),
      inner.map((one) => `echo a "$( ${one}\n)"`),
      inner.map((one) => `cat <( ${one}\n)`),
      inner.map((one) => `echo \${x:-$( ${one}\n)}`),
      inner.map((one) => `! ${one}`),
    ),
  };
});

test("wherever a command stands in a program, it is named or asked about", () => {
  fc.assert(
    fc.property(program, (text) => {
      const { resources } = findProgramCommands("bash", text, {});
      expect(
        resources.some((each) => each === "bash/canary" || each === "bash/?" || each.includes("!")),
      ).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
