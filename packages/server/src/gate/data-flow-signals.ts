/** Signs by which a piece of text reads as an instruction to the assistant. Each is a linear pattern with a weight and a reason. */
import { findForeignCommand, foreignAssistant, foreignConcealment } from "./data-flow-languages.ts";
import { kindsOfWords } from "./data-flow-task.ts";
import { stem } from "./data-flow-words.ts";
import type { TaskIntent } from "./data-flow-task.ts";

/** What a passage is read against. */
export interface ReadingContext {
  /** Names of the tools the agent has, as the model sees them. */
  readonly tools: readonly string[];
  readonly intent: TaskIntent | null;
}

export interface Signal {
  readonly name: string;
  /** Added once per passage. */
  readonly points: number;
  /** For people. */
  readonly reason: string;
  /** Enough to make a passage of its own; weak signals only add. */
  readonly isStrong: boolean;
}

interface Pattern extends Signal {
  readonly pattern: RegExp;
}

const meta =
  "instructions?|directions?|rules?|prompts?|guidelines|commands?|orders?|messages?|context|constraints?";
const job = "tasks?|jobs?|requests?|goals?|objectives?|questions?|quer(?:y|ies)|assignments?";

/** On lower-case text without invisible signs. No nested repetition: every pattern is linear in the length of a unit. */
const patterns: readonly Pattern[] = [
  { name: "override", points: 60, isStrong: true, reason: "asks to set instructions aside",
    pattern: new RegExp(`\\b(?:ignore|disregard|forget|override|overrule|bypass|skip|drop|cancel|stop following|do not follow|don't follow)\\b.{0,40}\\b(?:previous|prior|above|earlier|preceding|all|any|other|your|original|initial|former|old|these|the)\\b.{0,30}\\b(?:${meta}|${job})\\b`) },
  { name: "override", points: 60, isStrong: true, reason: "asks to set instructions aside",
    pattern: /(?:ignorier|vergiss|ignorez|oublie|ignora|olvid|dimentica|esque[cç]|negeer|vergeet|игнорир|забуд|zignoruj|忽略|无视|無視|忘记|무시).{0,40}(?:anweisung|instruction|consigne|instruccion|istruzion|instruç|instructie|opdracht|инструкц|указани|instrukcj|指令|指示|命令|지시)/ },
  { name: "override", points: 55, isStrong: true, reason: "asks to set instructions aside",
    pattern: new RegExp(`\\b(?:ignore|disregard|forget|discard)\\b.{0,20}\\b(?:everything|anything|all|whatever|what)\\b.{0,30}\\b(?:told|said|asked|before|above|previously|so far|until now|earlier)\\b|\\b(?:${meta}|${job})\\b.{0,20}\\b(?:no longer appl\\w+|(?:is|are) (?:void|obsolete|cancell?ed|superseded|replaced|invalid))\\b`) },
  { name: "task flow", points: 40, isStrong: true, reason: "speaks of the assistant's own task",
    pattern: new RegExp(`\\b(?:before|after|once|until|when|while|then|instead of|in order to|prior to)\\b.{0,30}\\b(?:you|your|that|this|it|doing|completing|continuing|proceeding|answering|solving)\\b.{0,40}\\b(?:solv\\w*|complet\\w*|continu\\w*|proceed\\w*|answer\\w*|finish\\w*|resum\\w*|do|work\\w*)\\b.{0,30}\\b(?:the|your|my|with|on|any|original|initial|first|main)\\b.{0,20}\\b(?:${job})\\b`) },
  { name: "task given", points: 40, isStrong: true, reason: "speaks as the one who gave the task",
    pattern: new RegExp(`\\b(?:${job}|instructions?)\\b.{0,12}\\b(?:i|we|the user|your user|you were|you've been|you have been|was|were)\\b.{0,12}\\b(?:gave|given|assigned|asked|told|set|sent)\\b`) },
  { name: "your task", points: 35, isStrong: true, reason: "speaks of the assistant's own task",
    pattern: new RegExp(`\\b(?:your|the|a)\\s(?:original|previous|current|main|primary|real|actual|true|new|next|first|initial|only|ongoing|updated|additional)\\s(?:${job}|instructions?|prompt|priority|directive)\\b`) },
  { name: "prompt", points: 45, isStrong: true, reason: "speaks of the prompt",
    pattern: /\b(?:system prompt|system message|system instruction|developer message|your (?:prompt|instructions|guidelines|programming|training)|override mode|developer mode)\b/ },
  { name: "assistant", points: 30, isStrong: true, reason: "addresses an assistant",
    pattern: /(?:\b(?:dear|hey|hi|hello|attention|note to|notice to|message to|message for|instructions? (?:for|to)|to|you are|you're|as|for) (?:an? |the |all |any |our |my |your )?(?:\w+ ){0,2}(?:ai|assistants?|language models?|llms?|chatbots?|agents?|bots?|copilot|gpt)\b)|(?:\b(?:ai|assistant|llm|agent|chatbot|bot) ?[,:!])|(?:\bif you are an? (?:ai|assistant|language model|llm|agent|bot|automated)\b)/ },
  { name: "authority", points: 25, isStrong: true, reason: "claims to speak for somebody with authority",
    pattern: /\b(?:message|instructions?|request|note|notice|order|command|directive|task|update|announcement) (?:from|by|of) (?:me\b|the user|your (?:user|owner|developer|creator|boss|operator|master|administrator|employer)|the (?:developers?|administrators?|admin|system|operator|owner|security team|management)|system|admin|openai|anthropic)/ },
  { name: "authority", points: 25, isStrong: true, reason: "claims to speak for somebody with authority",
    pattern: /\b(?:i am|i'm|this is|we are|it's me|speaking as) (?:your|the) (?:\w+ )?(?:user|owner|developer|creator|boss|operator|administrator|admin|system|supervisor|principal)\b/ },
  { name: "from me to you", points: 20, isStrong: true, reason: "poses as the user writing to the assistant",
    pattern: /\bfrom me\b.{0,40}\bto you\b/ },
  { name: "change of mind", points: 25, isStrong: true, reason: "poses as the user who wants something else now",
    pattern: /\b(?:i|i've|i have|we|we've|we have) (?:just )?changed (?:my|our) minds?\b|\bforget what i (?:said|asked|wrote)\b|\binstead of what i (?:said|asked|wrote)\b/ },
  { name: "concealment", points: 35, isStrong: true, reason: "asks to keep something from the user",
    pattern: /(?:\b(?:do not|don't|never|without|avoid) (?:\w+ ){0,2}(?:tell|telling|inform|informing|mention|mentioning|notify|notifying|alert|alerting)\b.{0,20}\b(?:user|owner|them|him|her|anyone|anybody|this|it)\b)|(?:\b(?:do not|don't|never|without|avoid) (?:\w+ ){0,2}(?:reveal|revealing|disclose|disclosing|show|showing)\b.{0,30}\b(?:user|owner)\b)|(?:\b(?:silently|secretly|covertly|without (?:asking|confirmation|permission|approval|the user))\b)/ },
  { name: "assistant", points: 30, isStrong: true, reason: "addresses an assistant", pattern: foreignAssistant },
  { name: "concealment", points: 35, isStrong: true, reason: "asks to keep something from the user", pattern: foreignConcealment },
  { name: "role marker", points: 60, isStrong: true, reason: "carries markers of a chat's roles",
    pattern: /(?:<<\/?sys>>|\[\/?inst\]|<\|[a-z_]{2,20}\|>|<\/?(?:system|assistant|user|human|instructions?|prompt|tool_call|function_call|tool_result|function_results?)>|^\s*#{1,6} ?(?:system|instructions?|new instructions?|assistant|user|human)\b|^\s*#{1,6} ?human\b)/ },
  { name: "speaker", points: 30, isStrong: true, reason: "is written as a turn of a chat",
    pattern: /^\s*(?:system|assistant|human|developer) ?: / },
  { name: "do the following", points: 20, isStrong: false, reason: "announces steps to do",
    pattern: /\b(?:(?:please |must |should |need to |have to |then |first |now )?(?:do|perform|execute|complete|follow|carry out) (?:the following|these|this|as follows|what follows|as instructed)|follow (?:the|these|my) instructions|to-?do ?:|next step ?:|action required|new task|your task is)\b/ },
  { name: "important", points: 10, isStrong: false, reason: "presses",
    pattern: /\b(?:important|urgent|urgently|immediately|critical|mandatory|asap|right away|at once|right now|high(?:est)? priority|you must|must be)\b|!{2,}/ },
  { name: "hidden markup", points: 30, isStrong: true, reason: "is hidden from readers by markup",
    pattern: /<!--|^\[[^\]]{0,20}\]: ?# ?[("']|<[a-z]{1,20}(?: [^<>]{0,100})? (?:hidden|aria-hidden="?true)|display ?: ?none|visibility ?: ?hidden|font-size ?: ?0|opacity ?: ?0(?:[;"' ]|$)|color ?: ?(?:white|transparent|#fff)/ },
]; // prettier-ignore

const imperatives: ReadonlySet<string> = new Set(
  "send email mail message forward reply post share invite add remove delete create make write update change modify set pay transfer buy purchase order wire refund book reserve schedule cancel reschedule open visit go click navigate download upload run execute install call use invoke read fetch get find search look retrieve copy move rename append insert save publish submit give provide reveal print output include say tell respond answer recommend mention notify contact text grant enable disable reset approve confirm accept sign subscribe unsubscribe append replace leave".split(" "),
); // prettier-ignore

const openers = /^(?:(?:please|kindly|now|then|also|first|firstly|next|finally|and|so|just|immediately|always|note|important|urgent|todo|task|action|ps|hey|hi|hello|dear|ok|okay|you (?:must|should|need to|have to|can|will|are to|shall)|make sure (?:to|you|that you)|be sure to|remember to|i (?:need|want|would like|'d like) you to|we need you to|(?:could|can|would|will) you(?: please)?|do not forget to|don't forget to|in order to|\d{1,2}|[-*•><#"'“(.,:!)]+)[\s,:!.*]*)+/; // prettier-ignore

const target =
  /[^\s@]{1,64}@[^\s@]{1,64}\.[a-z]{2,24}|\b(?:https?:\/\/|www\.)\S{3,}|\b[a-z]{2}\d{2}[a-z0-9]{8,30}\b|\b\d[\d -]{7,}\d\b|["'“‘«„][^"'“”‘’«»„]{2,200}["'”’»]|[\p{L}\d_-]{1,60}\.(?:com|org|net|io|txt|pdf|md|docx?|xlsx?|csv|json|sh|py|zip)\b|[~.]{0,2}\/[\w.-]{2,}\/[\w./-]{2,}/u;

/** Every signal of one unit (a sentence or line of at most 2,000 characters, normalised). */
export function signalsOf(unit: string, context: ReadingContext): readonly Signal[] {
  const found: Signal[] = patterns.filter(({ pattern }) => pattern.test(unit));
  const named = context.tools.filter(
    (tool) => /[_.]|[a-z][A-Z]/.test(tool) && unit.includes(tool.toLowerCase()),
  );
  if (named.length > 0)
    found.push({ name: "tool name", points: 35, isStrong: true, reason: `names the tool ${named[0]!}` });
  const called = named.find((tool) =>
    new RegExp(
      `${tool.toLowerCase().replace(/[^a-z0-9_]/g, ".")}["']?\\s{0,2}(?:\\(|\\{|with\\b|,\\s?["']?arg|using\\b)`,
    ).test(unit),
  );
  if (called !== undefined)
    found.push({ name: "tool call", points: 30, isStrong: true, reason: `writes a call of ${called}` });
  // What a tag's attributes say (`alt`, `title`, `content`) is read by machines as well as what stands between tags.
  const text = unit.replace(/<\/?[a-z][^<>]{0,1000}>/g, (tag) => ` ${attributeTexts(tag)} `).trim();
  const imperative = findImperative(text) ?? findWish(text);
  if (imperative === undefined) return [...found, ...foreignSignals(unit)];
  found.push({ name: "imperative", points: 20, isStrong: false, reason: `commands ("${imperative.verb}")` });
  if (target.test(imperative.clause)) {
    found.push({ name: "target", points: 15, isStrong: false, reason: "with a given target" });
  }
  const tool = toolMeant(imperative, context.tools);
  if (tool !== undefined) {
    found.push({ name: "tool meant", points: 15, isStrong: false, reason: `what ${tool} does` });
  }
  if (isBesideTask(imperative, context.intent)) {
    found.push({ name: "not asked", points: 15, isStrong: false, reason: "which the task does not ask for" });
  }
  return found;
}

function attributeTexts(tag: string): string {
  const values = [...tag.matchAll(/="([^"]{12,})"|='([^']{12,})'/g)].map(([, a, b]) => a ?? b!);
  return values.filter((value) => /\s/.test(value)).join(". ");
}

/** Without a target such words say too little: "wir senden" is no command. */
function foreignSignals(unit: string): readonly Signal[] {
  if (!target.test(unit)) return [];
  const word = findForeignCommand(unit);
  if (word === undefined) return [];
  return [
    { name: "imperative", points: 20, isStrong: false, reason: `commands ("${word}")` },
    { name: "target", points: 15, isStrong: false, reason: "with a given target" },
  ];
}

interface Imperative {
  readonly verb: string;
  readonly clause: string;
  readonly words: readonly string[];
}

/** The first clause that begins with a command, after words that open one. */
function findImperative(unit: string): Imperative | undefined {
  const clauses = unit.split(
    /[;:!?]\s|\.\s|,\s(?=please|and|then|you)|\s(?=and (?:then )?\w|then \w|please \w|you (?:must|should|need to|have to) )/,
  );
  for (const [index, raw] of clauses.slice(0, 40).entries()) {
    const isOpened = openers.test(raw);
    const clause = raw.replace(openers, "");
    const verb = /^[\p{L}']+(?![\p{L}\p{N}_.])/u.exec(clause)?.[0];
    if (verb === undefined || !imperatives.has(verb)) continue;
    // "order confirmation", "post office": a noun at the beginning is no command unless something opens it.
    if (
      !isOpened &&
      !/^\S+ (?:a|an|the|this|that|these|all|any|my|your|our|his|her|their|me|us|him|them|it|to|for|with|on|in|up|out|\$|€|£|\d|[^a-z\s]|[\p{L}\p{N}_-]+ (?:to|for|with|from|by|in|on|at|and)\b|[^\s@]+@)/u.test(
        clause,
      )
    )
      continue;
    const rest = [clause, ...clauses.slice(index + 1, index + 3)].join(" ");
    return { verb, clause: rest, words: firstWords(rest) };
  }
  return undefined;
}

function firstWords(text: string): readonly string[] {
  return [...text.matchAll(/[\p{L}\p{N}]+/gu)].slice(0, 60).map(([word]) => word);
}

/** "It would be great if somebody could ...", "the reader should ...", "if you ...": asks as much as it avoids to command. */
const wishes =
  /(?:\b(?:could|should|must|shall|would|might|may)(?: please| kindly| now| also| just)?|\b(?:asked|required|expected|supposed|requested|invited|advised|told|want|need|needs|have|has|like|free) to|\bif you(?: would| could| can)?|\bby|[,;:–—-]) (?=(\p{L}+))/gu;

/** Such a clause counts with a target alone, for people write so to each other all the time. */
function findWish(unit: string): Imperative | undefined {
  for (const { index, 0: opening, 1: verb } of unit.matchAll(wishes)) {
    if (!imperatives.has(verb!)) continue;
    const clause = unit.slice(index + opening.length, index + opening.length + 400);
    if (!target.test(clause)) continue;
    return { verb: verb!, clause, words: firstWords(clause) };
  }
  return undefined;
}

/** A tool whose verb is the command's and whose object is among its words. */
function toolMeant({ verb, words }: Imperative, tools: readonly string[]): string | undefined {
  const stems = new Set(words.map(stem));
  return tools.find((tool) => {
    const parts = (tool.match(/[A-Z]?[a-z]+/g) ?? []).map((part) => stem(part.toLowerCase()));
    return parts.includes(stem(verb)) && parts.some((part) => part !== stem(verb) && stems.has(part));
  });
}

function isBesideTask({ verb }: Imperative, intent: TaskIntent | null): boolean {
  if (intent === null || intent.isOpen || intent.isUnknown) return false;
  const kinds = kindsOfWords([verb]);
  return kinds.length > 0 && !kinds.some((kind) => intent.kinds.has(kind));
}
