/** Words of commands in languages besides English: which say that a sentence with a target asks for something to be done. Pure. */

/** Beginnings of words, so that endings of person, mood and politeness need no list; by kind for the reader alone. */
const beginnings = [
  // German
  "überweis|zahl|bezahl|begleich|send|schick|leit|weiterleit|übermittl|teil|freigeb|lad|einlad|öffn|ruf|besuch|klick|lösch|entfern|änder|ersetz|kauf|bestell|buch|abonnier|antwort|schreib|trag|installier|führ|meld|gib",
  // French
  "vir|pay|vers|règl|envo|transf|transmet|partag|invit|ouvr|visit|cliqu|supprim|efface|modifi|remplac|achet|command|réserv|répond|écri|install|exécut|télécharg|saisi",
  // Spanish
  "pag|transf|envi|envía|reenvi|reenví|mand|compart|invit|abr|visit|pulse|haz|borr|elimin|cambi|compr|reserv|respond|escrib|instal|ejecut|descarg|introdu",
  // Italian
  "bonific|invi|inoltr|condivid|apri|aprire|visita|clicc|cancell|modific|acquist|prenot|rispond|scriv|esegu|scaric|inseri",
  // Portuguese
  "envie|encaminh|compartilh|partilh|convid|abra|acess|clique|apagu|exclu|alter|compre|escrev|baix|insir|pague",
  // Dutch
  "betaal|stuur|zend|verstuur|deel|nodig|bezoek|klik|verwijder|wijzig|koop|bestel|boek|antwoord|schrijf|installeer|voer|vul",
  // Polish
  "zapła|przel|wyśl|prześl|udostępn|zapro|otwórz|kliknij|usuń|zmień|kup|zarezerw|odpowied",
  // Russian
  "оплат|перевед|отправ|перешл|подели|пригла|откро|перейд|нажм|удал|измен|купи|заброни|ответ",
].join("|");

/** Signs that make a sentence of these languages one that speaks to somebody: please, must, you, now. */
const requests =
  "bitte|müssen|musst|sollen|sollst|dringend|wichtig|hinweis|sofort|veuillez|merci de|svp|s'il vous|devez|il faut|urgent|message|por favor|debe|debes|urgente|importante|nota|per favore|deve|devi|favor|graag|moet|dringend|belangrijk|bericht|gelieve|proszę|musisz|pilne|пожалуйста|должен|должны|срочно|важно|assistent|assistente|asistente";

const command = new RegExp(`(?<![\\p{L}\\p{N}])(?:${beginnings})\\p{L}{0,12}(?![\\p{L}\\p{N}])`, "u");
const request = new RegExp(`(?<![\\p{L}\\p{N}])(?:${requests})(?![\\p{L}\\p{N}])`, "u");

/** Chinese, Japanese and Korean have no spaces between words. */
const unspaced =
  /(?:请|必须|立即|将|把|向|してください|せよ|하세요|하십시오|해 주세요).{0,60}(?:转发|发送|转账|支付|付款|汇款|共享|分享|邀请|打开|访问|点击|删除|修改|购买|预订|回复|填写|加入|送信|転送|支払|振り込|共有|招待|開い|削除|전달|보내|송금|결제|공유|초대|열|삭제)|(?:转发|发送|转账|支付|付款|汇款|共享|邀请|打开|访问|删除|送信|転送|支払|共有|招待|전달|송금|공유|초대).{0,60}(?:してください|하세요|하십시오|给|到)/u;

/** The word that commands, or undefined. `unit` is a sentence in lower case; English has a finer reading elsewhere. */
export function findForeignCommand(unit: string): string | undefined {
  const found = unspaced.exec(unit)?.[0].slice(0, 20);
  if (found !== undefined) return found;
  return request.test(unit) ? command.exec(unit)?.[0] : undefined;
}

/** Speaks to or of an assistant. */
export const foreignAssistant: RegExp =
  /(?:^|[^\p{L}])(?:(?:hinweis|nachricht|anweisung|note|message|instruction|nota|mensaje|mensagem|messaggio|istruzione|bericht|instructie|wiadomość|сообщение|geehrter|lieber|cher|estimado|caro|beste)\s(?:an |à |a |al |para |per |pour |voor |für |do |для )?(?:den |die |das |l['’]|le |la |el |o |de |il |lo )?(?:ki|ia|ai)?[- ]?(?:assistent|assistant|asistente|assistente|agent|agente|ki|ia|asystent|ассистент)\p{L}{0,3})(?:[^\p{L}]|$)|(?:助手|助理|智能体|アシスタント|어시스턴트)(?:请|請|注意|は|へ|[:：,，])/u;

/** Asks to keep something from the user. */
export const foreignConcealment: RegExp =
  /(?:(?:sag|erzähl|erwähn|verrat|inform)\p{L}{0,4}.{0,40}\b(?:nicht|nichts|niemand)|(?:ne|n['’]).{0,20}(?:dis|dites|mentionn|inform|parl|révél)\p{L}{0,4}.{0,10}(?:pas|rien)|\bno .{0,10}(?:digas|diga|mencion|inform|revel|avis)|\bnon .{0,10}(?:dir|dire|menzion|inform|rivel|avvis)|\bnão .{0,10}(?:cont|dig|mencion|inform|revel|avis)|\b(?:vertel|zeg|vermeld|informeer).{0,40}\bniet|(?:不要|别|勿)(?:告诉|提及|通知|透露)|(?:伝え|知らせ)ないで)/u;
