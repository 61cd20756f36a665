/** Compares what a task asks for with what an action does: kinds of effect by the verbs and things they name. Pure. */
import { normalise } from "./labels-text.ts";
import { irregularForms, stem } from "./data-flow-words.ts";
import { wordsOfName } from "./labels-roles.ts";

/** Kinds of effect; an action may be of several. */
type EffectKind = "tell" | "pay" | "create" | "change" | "delete" | "share" | "run" | "book";

const verbs: Readonly<Record<EffectKind, string>> = {
  tell: "send email mail message text reply respond answer write forward post tell notify inform announce publish contact dm remind ask sms tweet submit",
  pay: "pay send transfer refund buy purchase order settle donate wire repay reimburse compensate payment money",
  create:
    "create register enroll add make write save schedule set generate register append put insert plan new open draft prepare note record upload store produce start setup copy",
  change:
    "update change modify edit adjust rename move reschedule set replace correct fix increase decrease reduce raise lower shift postpone extend adapt mark complete assign merge configure turn enable disable switch correct swap bring",
  delete:
    "delete remove cancel drop erase clear discard unsubscribe purge kick leave reject archive trash terminate",
  share: "share invite grant permit give add allow open show let join collaborate",
  run: "run execute install deploy start stop restart build launch call invoke test compile perform",
  book: "book reserve schedule order rent buy organize organise arrange reservation booking plan confirm",
};

/** Things in an action's name that say more than its verb. */
const nouns: ReadonlyMap<string, EffectKind> = new Map(
  (
    [
      ["pay", "money payment transaction invoice"],
      ["tell", "email mail message"],
      ["book", "reservation booking"],
    ] as const
  ).flatMap(([kind, words]) => words.split(" ").map((word) => [stem(word), kind] as const)),
);

/** Verbs of looking: an action named by one of these brings something in and changes nothing. */
const readers: ReadonlySet<string> = new Set(
  "get read list search find fetch view show check lookup query describe count browse inspect retrieve load peek head stat exists download see examine preview scan visit watch calculate compute compare validate verify estimate summarize summarise explain translate analyze analyse review sum recap outline condense paraphrase extract identify determine".split(" ").map(stem),
); // prettier-ignore

const kindsByVerb: ReadonlyMap<string, readonly EffectKind[]> = invert();

/** True when the action's name says that it changes something: unknown names do. */
export function isEffectByName(action: string): boolean {
  const words = wordsOfName(action);
  const verb = words.find((word) => readers.has(stem(word)) || kindsByVerb.has(stem(word)));
  return verb === undefined || !readers.has(stem(verb));
}

/** What a task asks for. */
export interface TaskIntent {
  readonly kinds: ReadonlySet<EffectKind>;
  /** Stems of all its words. */
  readonly words: ReadonlySet<string>;
  /** It hands the choice of actions to somebody's text: "follow the instructions in", "do what it says". */
  readonly isOpen: boolean;
  /** It names people or mail addresses: whoever else is written to was not meant. */
  readonly namesPeople: boolean;
  /** No word of it is known: nothing can be said about what it does not ask for. */
  readonly isUnknown: boolean;
}

const openPhrases =
  /\b(?:follow|do|perform|execute|complete|carry out|take care of|work through|handle|implement|apply|act on)\b[^.!?\n]{0,60}\b(?:instructions?|steps?|tasks?|actions?|to-?dos?|todo list|requests?|checklist|requirements?|says?|said|asks?|described|specified|listed|mentioned|everything)\b/;

/** Words after which a verb in its plain form is what somebody is to do: "please send", "and then move", "to pay". */
const beforeCommand: ReadonlySet<string> = new Set(
  "please kindly to and then you also or but just now must should can could will would lets help i we need first finally afterwards so otherwise either me him her them us finally".split(" "),
); // prettier-ignore

export function readIntent(task: string): TaskIntent {
  const text = normalise(task).replace(toldToUser, "view");
  const all = (text.match(/[\p{L}\p{N}]+/gu) ?? []).map(stem);
  const commands = commandsIn(text);
  // "Who wrote most" and "the last mail" ask for no writing; a task without any command is taken by all its words.
  const asked = commands.length > 0 || isQuestion(text) ? commands.map(stem) : all;
  const kinds = new Set<EffectKind>(
    asked.flatMap((word) => [...(kindsByVerb.get(word) ?? []), ...(means.get(word) ?? [])]),
  );
  // "Check me in": the verb alone only looks.
  if (signsUp.test(text)) for (const kind of ["tell", "create", "book"] as const) kinds.add(kind);
  // "Make a reservation", "give me a refund": with a command, the thing says as much as the verb.
  if (kinds.size > 0) for (const word of all) for (const kind of things.get(word) ?? []) kinds.add(kind);
  // One sends mails as well as money: without money in the task, `send` is not paying.
  if (!asked.some((word) => payVerbs.has(word)) && !moneyWords.test(text)) kinds.delete("pay");
  const isUnknown = kinds.size === 0 && !all.some((word) => readers.has(word) || commonWords.has(word));
  return {
    kinds,
    words: new Set(all),
    isOpen: openPhrases.test(text),
    namesPeople: namesPeople(task),
    isUnknown,
  };
}

/** "Tell me", "give me a summary" ask for an answer, not for a mail; what is handed out as such is. */
const toldToUser =
  /\b(?:tell|inform|give) (?:me|us)\b(?!.{0,40}\b(?:refund|payment|money|access|permission|reservation|booking|appointment|reminder)\b)/g;

const signsUp = /\b(?:check|sign|put|log) (?:me|us|him|her|them) (?:in|up|down|on)\b|\bfill (?:in|out)\b/;

/** What one may have to do to do another thing. */
const means: ReadonlyMap<string, readonly EffectKind[]> = new Map([
  [stem("invite"), ["tell", "create", "change"]],
  [stem("share"), ["tell"]],
  [stem("schedule"), ["tell"]],
  [stem("register"), ["tell", "book"]],
  [stem("enroll"), ["tell", "book"]],
  [stem("give"), ["tell", "pay"]],
]);

const things: ReadonlyMap<string, readonly EffectKind[]> = new Map(
  (
    [
      ["book", "reservation booking appointment"],
      ["pay", "payment refund transfer"],
      ["tell", "reply response answer invitation"],
      ["share", "invitation access"],
      ["create", "reminder event entry copy"],
      ["change", "change update"],
    ] as const
  ).flatMap(([kind, words]) => words.split(" ").map((word) => [stem(word), [kind]] as const)),
);

const payVerbs: ReadonlySet<string> = new Set("pay refund buy purchase settle donate wire repay reimburse order".split(" ").map(stem)); // prettier-ignore

const moneyWords =
  /[$€£¥₹]|\b(?:money|payments?|iban|bank|rent|bills?|invoices?|dollars?|euros?|pounds?|usd|eur|gbp|chf|transactions?|refunds?|owed?|salary|donation|fee|cost|price)\b|\b\d+[.,]\d{2}\b/;

/** Known verbs in their plain form where a clause begins or a command is announced. */
function commandsIn(text: string): readonly string[] {
  const commands: string[] = [];
  let before = "";
  for (const [, word, sign] of text.matchAll(/([\p{L}\p{N}'’@_-]+)|([.!?:;,\n"“(])/gu)) {
    if (word === undefined) {
      before = sign!;
      continue;
    }
    const plain = word.replace(/['’]/g, "");
    const isKnown = kindsByVerb.has(stem(plain)) || readers.has(stem(plain));
    const isPlain = irregularForms.has(plain) ? false : !/(?:ed|ing)$/.test(plain) || plain === "bring";
    if (isKnown && isPlain && (before === "" || /^[.!?:;,"“(]$/.test(before) || beforeCommand.has(before)))
      commands.push(plain);
    before = plain;
  }
  return commands;
}

function isQuestion(text: string): boolean {
  return /^(?:who|what|when|where|which|how|why|whose|is|are|was|were|do|does|did|has|have)\b/.test(text);
}

/** A capital inside a sentence that is not one of a file, or a mail address. */
function namesPeople(task: string): boolean {
  return /[\p{Ll},] \p{Lu}\p{Ll}+(?![\p{L}.]*\.\p{L})/u.test(task) || /\S@\S+\.\S/.test(task);
}

/** English as such: a task with none of these is in a language the verbs above do not speak. */
const commonWords: ReadonlySet<string> = new Set(
  "the a an of what how is are my i please can you which who when where".split(" ").map(stem),
);

/** Words in action names that say nothing about their object. */
const emptyWords: ReadonlySet<string> = new Set("the a to in on of for by from with my user tool api direct new all info data item object mcp".split(" ").map(stem)); // prettier-ignore

/** Whether the task asks for this kind of action; null when that cannot be told. */
export function isRequested(action: string, intent: TaskIntent): boolean | null {
  if (intent.isUnknown) return null;
  if (intent.isOpen) return true;
  const words = wordsOfName(action).map(stem);
  const kinds = kindsOfAction(words);
  if (kinds.length === 0) return words.some((word) => intent.words.has(word)) ? true : null;
  if (kinds.some((kind) => intent.kinds.has(kind))) return true;
  // "Adjust my rent" does not name the kind that `set_rent` is of, but its object; a task that only looks names nothing.
  const isObjectNamed = words.some(
    (word) => !emptyWords.has(word) && !kindsByVerb.has(word) && intent.words.has(word),
  );
  return intent.kinds.size > 0 && isObjectNamed;
}

function kindsOfAction(words: readonly string[]): readonly EffectKind[] {
  const special = words.flatMap((word) => nouns.get(word) ?? []);
  const verb = words.find((word) => kindsByVerb.has(word));
  const kinds = verb === undefined ? [] : kindsByVerb.get(verb)!;
  // `send_money` pays and does not tell; `update_transaction` changes, whatever it changes.
  const both = kinds.filter((kind) => special.includes(kind));
  return both.length > 0 ? both : kinds.length > 0 ? kinds : special;
}

/** The kinds of effect an imperative's words ask for; used to see that a passage wants what the task did not. */
export function kindsOfWords(words: readonly string[]): readonly EffectKind[] {
  return words.flatMap((word) => kindsByVerb.get(stem(word)) ?? []);
}

function invert(): ReadonlyMap<string, readonly EffectKind[]> {
  const map = new Map<string, EffectKind[]>();
  for (const [kind, list] of Object.entries(verbs) as [EffectKind, string][]) {
    for (const verb of list.split(" ")) map.set(stem(verb), [...(map.get(stem(verb)) ?? []), kind]);
  }
  return map;
}
