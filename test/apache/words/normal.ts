/** What the two tools may differ in: names and times, stack traces, the wording of the usage. */
import type { Line } from './table'
import type { Output } from './apache'

/** What stands for the tool in the names of what it may change, so that the two do not get in each other's way. */
export const MARKS = { apache: 'apx7', ours: 'our7' } as const

const TRACE = /^(\s+at [\w.$/<>]|\s*\.\.\. \d+ (more|common frames))/
/** `[2024-01-01 00:00:00,000] WARN ... (org.apache...)`: the log of the Java client. */
const LOG = /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] [A-Z]+ /
/** What stands in the layout behind a message of several lines: the class that logs. */
const LOGGER = /^ \((org\.apache\.)?kafka\.[\w.$]+\)$/
/** An exception as Java shows it, caught or not. */
const EXCEPTION = /^(Exception in thread "main" |Caused by: |\tSuppressed: )?[\w$]+(\.[\w$]+)+(Exception|Error)\b/
const TIME = /\b1[6-9]\d{11}\b/g
const PORT = /127\.0\.0\.1:\d+/g

/** Apache's tool shows the lines of a log and of stack traces beside its words: ours has none. */
function withoutTraces(text: string): string {
  const lines = text.split('\n')
  const kept: string[] = []
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    if (TRACE.test(line) || LOG.test(line) || LOGGER.test(line) || line.startsWith('Caused by: ')) continue
    // Of an exception the message counts, and once.
    const isTraced = EXCEPTION.test(line) && TRACE.test(lines[i + 1] ?? '')
    const message = isTraced ? line.replace(EXCEPTION, '').replace(/^: /, '') : line
    if (!(isTraced && message !== '' && kept.at(-1)?.endsWith(message) === true)) kept.push(message)
  }
  const rest = kept.join('\n')
  // A trace is printed with an empty line behind it.
  return lines.some((line) => TRACE.test(line)) ? rest.replace(/\n+$/, '\n') : rest
}

/** Options that Kafka has not: of the whole of ours, and of this tool. */
function withoutOwn(text: string, own: readonly string[]): string {
  return own.reduce(
    (rest, option) => rest.replaceAll(` [${option}]`, '').replace(new RegExp(`^ *${option}\\b.*\\n(?: {3,}.*\\n)*`, 'gm'), ''),
    text,
  )
}

/** The sentences of the usage are our own; its options and their arguments are Kafka's. */
function optionsOfUsage(text: string): string {
  const lines = text.split('\n')
  const head = lines.findIndex((line) => /^Option( \(\* = required\))? {2,}Description/.test(line))
  if (head < 0) return text
  const at = lines[head]!.indexOf('Description')
  const options = lines.slice(head + 2).map((line) => line.slice(0, at).trim())
  return [
    ...lines.slice(0, head),
    '<usage>',
    options
      .filter((option) => option !== '')
      .join(' ')
      .replace(/<[^>]*>/g, (argument) => argument.replace(/ /g, ''))
      .replace(/ --/g, '\n--'),
    '',
  ].join('\n')
}

/** argparse4j stretches its lines; its help has sentences of its own behind the arguments. */
function argumentsOfUsage(text: string): string {
  const at = text.search(/^usage: /m)
  if (at < 0) return text
  const [usage, ...rest] = text.slice(at).split(/\n(?! )/)
  const listed = rest
    .join('\n')
    .split('\n')
    .filter((line) => /^ {2,4}[^ ]/.test(line) && !/^ {25}/.test(line))
  const error = rest.findIndex((line) => /^[\w.-]+: +error: /.test(line))
  const complaint = error < 0 ? '' : rest.slice(error).join(' ')
  const arguments_ = listed.map((line) => line.trim().split(/ {2,}/)[0]!).filter((line) => line.startsWith('-'))
  return [
    text.slice(0, at) + usage!.replace(/\s+/g, ' ').trim(),
    ...arguments_,
    complaint
      .replace(/\s+/g, ' ')
      .replace(/- (?=[a-z-])/g, '-')
      .trim(),
    '',
  ].join('\n')
}

type Changes = Pick<Line, 'changes' | 'shared' | 'unordered'> & { own?: readonly string[] }

function normalText(text: string, { changes = [], shared = false, own = [] }: Changes, mark: string): string {
  // What was made for the other tool is none of this one's business.
  const other = Object.values(MARKS).find((each) => each !== mark)!
  const mine = shared
    ? text
    : text
        .split('\n')
        .filter((line) => !line.includes(other))
        .join('\n')
  let normal = argumentsOfUsage(optionsOfUsage(withoutTraces(withoutOwn(mine, ['--json', ...own]))))
  if (!shared) normal = normal.replaceAll(mark, '<me>')
  normal = normal.replace(TIME, '<time>').replace(PORT, '<host>')
  // Out of Java's hash sets.
  normal = normal.replace(/\[[\w.-]+\](, \[[\w.-]+\])+/g, (list) => list.split(', ').sort().join(', '))
  for (const [pattern, replacement] of changes) normal = normal.replace(pattern, replacement)
  return normal
}

/** Both answers in a form in which they must be equal. */
export function normalise({ code, out, err }: Output, mark: string, line: Changes): Output {
  const sorted = (text: string): string => (line.unordered === true ? text.split('\n').sort().join('\n') : text)
  return { code, out: sorted(normalText(out, line, mark)), err: sorted(normalText(err, line, mark)) }
}

/** Words as a shell cuts them: blanks apart, quotes kept together; `''` is an empty word. */
export function words(text: string): string[] {
  const found: string[] = []
  for (const [whole] of text.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)) {
    found.push(whole.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''))
  }
  return found
}
