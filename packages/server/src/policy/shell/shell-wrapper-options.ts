/** Commands that run a command given in their arguments, as data: which options they take before it. */

export interface Wrapper {
  /** Options without a value, by letter. */
  readonly flags?: string;
  /** Options with a value, by letter: attached or the next word. */
  readonly values?: string;
  /** As `flags` and `values`, without their dashes. `--name=value` is always one word. */
  readonly longFlags?: readonly string[];
  readonly longValues?: readonly string[];
  /** Words between the options and the command, such as the time of `timeout`. */
  readonly operands?: number;
  /** `-` alone is an option: `env -` begins with no variables, `runuser -` with a login. */
  readonly takesLoneDash?: true;
  /** `NAME=value` words may stand before the command. */
  readonly takesAssignments?: true;
  /** An option with a text that a shell runs, by letter or long name; with it there is no other command. */
  readonly textOptions?: readonly string[];
  /** Options may stand behind operands, and each text of theirs counts. */
  readonly permutes?: true;
  /** The option with a text may stand anywhere, and then something else may run too. */
  readonly takesTextAnywhere?: true;
  /** Options that only look something up, by letter. */
  readonly lookups?: string;
  /** The words are joined and given to a shell. */
  readonly joins?: true;
  /** Words from the input are added at the end. */
  readonly appends?: true;
  /** The option whose value is replaced in the words by what comes from the input. */
  readonly replaces?: string;
}

/** Sources: the manual pages of GNU coreutils 9.1, findutils 4.9, util-linux 2.38, sudo 1.9, bash 5.2, OpenSSH 9.2. */
export const wrappers: Readonly<Record<string, Wrapper | undefined>> = {
  env: {
    flags: "i0v", values: "uC", takesAssignments: true, takesLoneDash: true, textOptions: ["S", "split-string"],
    longFlags: ["ignore-environment", "null", "debug"], longValues: ["unset", "chdir"],
  },
  sudo: {
    flags: "ABbEHKknPSis", values: "CDghpRrtTUu", takesAssignments: true, lookups: "lVv",
    longFlags: ["askpass", "background", "preserve-env", "set-home", "non-interactive", "stdin", "login", "shell"],
    longValues: ["user", "group", "host", "prompt", "chdir", "chroot", "role", "type", "command-timeout"],
  },
  doas: { flags: "Lns", values: "Cu" },
  nohup: {},
  command: { flags: "p", lookups: "vV" },
  builtin: {},
  exec: { flags: "cl", values: "a" },
  nice: { values: "n", longValues: ["adjustment"], flags: "0123456789" },
  ionice: { flags: "t", values: "cnpPu", longFlags: ["ignore"], longValues: ["class", "classdata"] },
  chrt: { flags: "bfiormaRv", values: "TPD", operands: 1 },
  taskset: { flags: "ac", values: "p", operands: 1, longFlags: ["all-tasks", "cpu-list"] },
  setsid: { flags: "cfw", longFlags: ["ctty", "fork", "wait"] },
  stdbuf: { values: "ioe", longValues: ["input", "output", "error"] },
  timeout: {
    flags: "v", values: "ks", operands: 1, longFlags: ["foreground", "preserve-status", "verbose"],
    longValues: ["kill-after", "signal"],
  },
  time: { flags: "apqv", values: "fo", longFlags: ["append", "portability", "verbose"], longValues: ["format", "output"] },
  xargs: {
    flags: "0prtxo", values: "adEeIiLlnPs", replaces: "I", appends: true,
    longFlags: ["null", "interactive", "no-run-if-empty", "verbose", "exit", "open-tty"],
    longValues: ["arg-file", "delimiter", "max-lines", "max-args", "max-procs", "max-chars", "process-slot-var"],
  },
  flock: {
    flags: "enosuxFv", values: "wE", operands: 1, textOptions: ["c", "command"],
    longFlags: ["exclusive", "shared", "unlock", "nonblock", "close", "no-fork", "verbose"],
    longValues: ["wait", "timeout", "conflict-exit-code"],
  },
  watch: {
    flags: "bcdegptwx", values: "nq", joins: true,
    longFlags: ["beep", "color", "differences", "errexit", "chgexit", "no-title", "no-wrap"], longValues: ["interval"],
  },
  chroot: { operands: 1, longFlags: ["skip-chdir"], longValues: ["groups", "userspec"] },
  unshare: { flags: "fmuinpUCTrc", values: "RwSG", longFlags: ["fork", "map-root-user", "mount", "net", "pid", "user"] },
  strace: { flags: "cCdfFhikqrtTvVwxyYz", values: "abeEIoOpPsSuUX" },
  ltrace: { flags: "bcCfhiLrStTV", values: "aAeDlnopsuwx" },
  prlimit: { flags: "", values: "p", longValues: ["pid", "output"], longFlags: ["noheadings", "raw", "verbose"] },
  valgrind: {},
  fakeroot: { values: "isb" },
  busybox: {},
  toybox: {},
  script: { flags: "aefq", values: "BEIOTmo", textOptions: ["c", "command"], operands: 9_999, permutes: true },
  su: { flags: "flmpP", values: "Ggsw", textOptions: ["c", "command"], operands: 9_999, longFlags: ["login"] },
  runuser: { flags: "flmpP", values: "Ggsuw", textOptions: ["c", "command"], takesTextAnywhere: true, takesLoneDash: true, longFlags: ["login"] },
  ssh: { flags: "46AaCfGgKkMNnqsTtVvXxYy", values: "BbcDEeFIiJLlmOoPpQRSWw", operands: 1, joins: true },
  parallel: { flags: "0kmX", values: "ajnNI", joins: true },
}; // prettier-ignore

type Words = readonly (string | null)[];

export interface WrapperWords {
  /** Where the command begins in `argv`; its length when there is none. */
  readonly from: number;
  /** A word before the command is unknown, or an option is not in the table. */
  readonly isUnsure: boolean;
  /** What a shell runs. */
  readonly texts: readonly (string | null)[];
  /** What is replaced in the command's words. */
  readonly replaced: string | null;
}

export function readOptions(argv: Words, wrapper: Wrapper): WrapperWords {
  const state: OptionState = { at: 1, isUnsure: false, isLookup: false, texts: [], replaced: null };
  while (state.at < argv.length) {
    const word = argv[state.at];
    if (word === null || word === undefined) state.isUnsure = wrapper.operands !== undefined;
    else if (word === "--") {
      state.at++;
      break;
    } else if (word === "-" && wrapper.takesLoneDash === true) {
      state.at++;
      continue;
    } else if (wrapper.takesAssignments === true && /^[^-=][^=]*=/.test(word)) {
      state.at++;
      continue;
    } else if (word !== "-" && word.startsWith("--")) {
      readLong(argv, wrapper, state);
      continue;
    } else if (word.length > 1 && word.startsWith("-")) {
      readLetters(argv, wrapper, state);
      continue;
    } else if (wrapper.permutes === true) {
      state.at++;
      continue;
    }
    break;
  }
  if (wrapper.takesAssignments === true) {
    while (/^[^-=][^=]*=/.test(argv[state.at] ?? "")) state.at++;
  }
  const operands = wrapper.operands ?? 0;
  const late = wrapper.textOptions === undefined ? -1 : findLateText(argv, state.at, wrapper);
  if (late >= 0) state.texts.push(argv[late + 1] ?? null);
  const isOver = state.isLookup || (state.texts.length > 0 && wrapper.takesTextAnywhere !== true);
  const from = isOver ? argv.length : Math.min(argv.length, state.at + operands);
  return { from, isUnsure: state.isUnsure, texts: state.texts, replaced: state.replaced };
}

/** `flock file -c text`, `su user -c text`: the option may stand behind the operands. */
function findLateText(argv: Words, from: number, { operands = 0, takesTextAnywhere }: Wrapper): number {
  const at = argv.findIndex((word, index) => index >= from && (word === "-c" || word === "--command"));
  return takesTextAnywhere === true || operands > 1 || at === from + operands ? at : -1;
}

interface OptionState {
  at: number;
  isUnsure: boolean;
  isLookup: boolean;
  readonly texts: (string | null)[];
  replaced: string | null;
}

function readLong(argv: Words, wrapper: Wrapper, state: OptionState): void {
  const word = argv[state.at]!;
  state.at++;
  const equals = word.indexOf("=");
  const name = word.slice(2, equals < 0 ? undefined : equals);
  if (wrapper.textOptions?.includes(name) === true) {
    state.texts.push(equals < 0 ? (argv[state.at++] ?? null) : word.slice(equals + 1));
  } else if (wrapper.longValues?.includes(name) === true) {
    if (equals < 0) state.at++;
  } else if (name === "version" || name === "help") state.isLookup = true;
  else if (wrapper.longFlags?.includes(name) !== true) state.isUnsure = true;
}

function readLetters(argv: Words, wrapper: Wrapper, state: OptionState): void {
  const word = argv[state.at]!;
  state.at++;
  for (let index = 1; index < word.length; index++) {
    const letter = word[index]!;
    const isText = wrapper.textOptions?.includes(letter) === true;
    if (isText || wrapper.values?.includes(letter) === true) {
      const attached = word.slice(index + 1);
      // `-i` and `-e` of xargs take a value only when it is attached.
      const isAttachedOnly = wrapper.appends === true && /[eil]/.test(letter);
      const value = attached !== "" ? attached : isAttachedOnly ? "{}" : (argv[state.at++] ?? null);
      if (isText) state.texts.push(value);
      else if (letter === wrapper.replaces || (isAttachedOnly && letter === "i")) state.replaced = value;
      if (value === null) state.isUnsure = true;
      return;
    }
    if (wrapper.lookups?.includes(letter) === true) state.isLookup = true;
    else if (wrapper.flags?.includes(letter) !== true) state.isUnsure = true;
  }
}
