/** The command lines of the tools that Kafka builds with argparse4j: their grammar, their usage and their complaints. */
import { HELP, argumentHelp, argumentUsage } from './argparse-help'

export interface Argument {
  /** `--topic` */
  name: string
  /** `-v` */
  short?: string
  /** The short form is shown behind the long one. */
  longFirst?: boolean
  /** What stands for the value in the usage; by default the name in capitals. */
  metavar?: string
  help: string
  /** Left out: a text. `flag` takes no value, `list` takes one or more, `append` may come several times. */
  kind?: 'flag' | 'integer' | 'long' | 'short' | 'double' | 'list' | 'append'
  required?: boolean
  /** Arguments of the same group exclude each other, and one of them has to be there. */
  oneOf?: string
  /** The heading under which the help lists it. */
  heading?: string
  /** Shown in the help. */
  fallback?: string
  choices?: readonly string[]
}

export interface Parser {
  program: string
  /** Shows the commands by name where a command stands in the usage, not as COMMAND. */
  namesCommands?: boolean
  description?: string
  arguments: readonly Argument[]
  /** Text below a heading, by heading. */
  headings?: Readonly<Record<string, string>>
  commands?: readonly Command[]
}

export interface Command {
  name: string
  help: string
  description?: string
  arguments: readonly Argument[]
  headings?: Readonly<Record<string, string>>
}

export interface Arguments {
  command: string | undefined
  has(name: string): boolean
  text(name: string): string | undefined
  number(name: string): number | undefined
  list(name: string): string[]
}

/** The command line cannot be carried out; `usage` and the message go to stderr. */
export class ArgparseError extends Error {
  override readonly name = 'ArgparseError'
  readonly usage: string

  constructor(message: string, usage: string) {
    super(message)
    this.usage = usage
  }
}

/** `--help` was asked for; the text goes to stdout. */
export class HelpRequest extends Error {
  override readonly name = 'HelpRequest'
}

/** The Java types; 0 bits for one with fractions. */
const BITS: Readonly<Record<string, [name: string, bits: number]>> = {
  integer: ['Integer', 32],
  long: ['Long', 64],
  short: ['Short', 16],
  double: ['Double', 0],
}

function valueOf(argument: Argument, text: string, fail: (message: string) => Error): string {
  const whole = argument.kind === undefined ? undefined : BITS[argument.kind]
  if (whole !== undefined) {
    const [type, bits] = whole
    const isNumber = bits === 0 ? text.trim() !== '' && !Number.isNaN(Number(text)) : /^[-+]?\d+$/.test(text)
    const why = !isNumber
      ? `For input string: "${text}"`
      : bits > 0 && Math.abs(Number(text)) >= 2 ** (bits - 1)
        ? `Value out of range. Value:"${text}" Radix:10`
        : undefined
    if (why !== undefined) throw fail(`argument ${shownName(argument)}: could not convert '${text}' to ${type} (${why})`)
  }
  if (argument.choices !== undefined && !argument.choices.includes(text))
    throw fail(`argument ${argument.name}: invalid choice: '${text}' (choose from {${argument.choices.join(',')}})`)
  return text
}

/** Throws ArgparseError, HelpRequest. */
export function parseArguments(parser: Parser, argv: readonly string[]): Arguments {
  const found = new Map<string, string[]>()
  let command: Command | undefined
  let scope = [HELP, ...parser.arguments]
  const fail = (message: string): ArgparseError =>
    new ArgparseError(`${parser.program}: error: ${message}`, argumentUsage(parser, command))
  const optionOf = (typed: string): Argument | undefined => {
    const exact = scope.find(({ name, short }) => name === typed || short === typed)
    if (exact !== undefined || !typed.startsWith('--')) return exact
    const matches = scope.filter(({ name }) => name.startsWith(typed))
    if (matches.length > 1) throw fail(`ambiguous option: ${typed} could match ${matches.map(({ name }) => name).join(', ')}`)
    return matches[0]
  }
  const isOption = (text: string): boolean => text.startsWith('-') && !/^-\d/.test(text) && text !== '-'
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!
    if (!isOption(arg)) {
      if (parser.commands === undefined || command !== undefined) throw fail(`unrecognized arguments: '${arg}'`)
      checkComplete(scope, found, fail)
      const chosen = parser.commands.find(({ name }) => name === arg)
      if (chosen === undefined)
        throw fail(`invalid choice: '${arg}' (choose from ${parser.commands.map(({ name }) => `'${name}'`).join(', ')})`)
      command = chosen
      scope = [HELP, ...chosen.arguments]
      continue
    }
    const [typed, inline] =
      arg.startsWith('--') && arg.includes('=') ? [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)] : [arg]
    const option = optionOf(typed)
    if (option === undefined) throw fail(`unrecognized arguments: '${arg}'`)
    if (option === HELP) throw new HelpRequest(argumentHelp(parser, command))
    const rival = scope.find(
      (each) => each !== option && option.oneOf !== undefined && each.oneOf === option.oneOf && found.has(each.name),
    )
    if (rival !== undefined) throw fail(`argument ${shownName(option)}: not allowed with argument ${shownName(rival)}`)
    const values: string[] = inline === undefined ? [] : [inline]
    if (option.kind === 'list') while (argv[i + 1] !== undefined && !isOption(argv[i + 1]!)) values.push(argv[++i]!)
    else if (option.kind !== 'flag' && inline === undefined && argv[i + 1] !== undefined && !isOption(argv[i + 1]!))
      values.push(argv[++i]!)
    if (option.kind !== 'flag' && values.length === 0)
      throw fail(`argument ${option.name}: expected ${option.kind === 'list' ? 'at least ' : ''}one argument`)
    const before = option.kind === 'append' ? (found.get(option.name) ?? []) : []
    found.set(option.name, [...before, ...values.map((value) => valueOf(option, value, fail))])
  }
  if (parser.commands !== undefined && command === undefined) throw fail('too few arguments')
  checkComplete(scope, found, fail)
  const given = (name: string): string[] | undefined => found.get(name)
  const fallback = (name: string): string | undefined => scope.find((each) => each.name === name)?.fallback
  return {
    command: command?.name,
    has: (name) => found.has(name),
    text: (name) => given(name)?.[0] ?? fallback(name),
    number: (name) => {
      const text = given(name)?.[0] ?? fallback(name)
      return text === undefined ? undefined : Number(text)
    },
    list: (name) => given(name) ?? [],
  }
}

function shownName({ name, short, longFirst }: Argument): string {
  return longFirst === true ? `${name}/${short}` : name
}

/** The last one that is missing is complained about, as argparse4j does. */
function checkComplete(scope: readonly Argument[], found: ReadonlyMap<string, string[]>, fail: (message: string) => Error): void {
  const missing = scope.filter(({ name, required }) => required === true && !found.has(name)).at(-1)
  if (missing !== undefined) throw fail(`argument ${shownName(missing)} is required`)
  for (const group of new Set(scope.flatMap(({ oneOf }) => oneOf ?? []))) {
    const rivals = scope.filter(({ oneOf }) => oneOf === group)
    if (!rivals.some(({ name }) => found.has(name)))
      throw fail(`one of the arguments ${rivals.map(shownName).join(' ')} is required`)
  }
}
