import yargs from 'yargs'
import { usageOf } from './usage'
import type { OptionSpec } from './usage'

/** What a user typed cannot be carried out: one line, then the usage if `withUsage`; exit code 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly withUsage: boolean

  constructor(message: string, withUsage = true) {
    super(message)
    this.withUsage = withUsage
  }
}

/** Options as they were typed, with Kafka's complaints about what is missing, malformed or in conflict. */
export class CommandLine {
  readonly usage: string
  /** What stood there beside options. */
  readonly rest: string[]
  private readonly found: Map<string, string[]>

  constructor(specs: readonly OptionSpec[], found: Map<string, string[]>, rest: string[]) {
    this.usage = usageOf(specs)
    this.found = found
    this.rest = rest
  }

  has(name: string): boolean {
    return this.found.has(name)
  }

  /** Throws ArgumentError if it was given more than once. */
  value(name: string): string | undefined {
    const given = this.found.get(name)
    if (given !== undefined && given.length > 1)
      throw new ArgumentError(`Found multiple arguments for option ${name}, but you asked for only one`)
    return given?.[0]
  }

  values(name: string): string[] {
    return this.found.get(name) ?? []
  }

  text(name: string, fallback: string): string {
    return this.value(name) ?? fallback
  }

  required(name: string): string {
    const value = this.value(name)
    if (value === undefined) throw new UsageError(`Missing required argument "[${name}]"`)
    return value
  }

  whole(name: string): number | undefined
  whole(name: string, fallback: number): number
  whole(name: string, fallback?: number): number | undefined {
    const value = this.value(name)
    if (value === undefined) return fallback
    if (!/^[-+]?\d+$/.test(value)) throw new ArgumentError(`Cannot parse argument '${value}' of option ${name}`)
    return Number(value)
  }

  /** Complains if `used` is given together with one of the others. */
  refuseTogether(used: string, others: readonly string[]): void {
    if (!this.has(used)) return
    for (const other of others) {
      if (other !== used && this.has(other)) throw new UsageError(`Option "[${used}]" can't be used with option "[${other}]"`)
    }
  }

  requireAll(names: readonly string[]): void {
    for (const name of names) if (!this.has(name)) throw new UsageError(`Missing required argument "[${name}]"`)
  }
}

/** A value that its option cannot have; the tool says it in its own words for failures. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError'
}

/** Stands for an empty value, which yargs would take for none. */
const NOTHING = '\0'

/**
 * Parses as JOpt Simple does: `--name value`, `--name=value`, unambiguous prefixes of a name. Throws UsageError for an unknown
 * option and for a missing argument, in Kafka's first line and without its stack trace.
 */
export function parseCommandLine(specs: readonly OptionSpec[], argv: readonly string[]): CommandLine {
  const byName = new Map(specs.map((spec) => [spec.name, spec]))
  const full = (typed: string): string => {
    if (byName.has(typed)) return typed
    const matches = specs.filter(({ name }) => name.startsWith(typed))
    if (matches.length === 1) return matches[0]!.name
    throw new UsageError(`${typed} is not a recognized option`, false)
  }
  const args: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!
    const match = /^--?([^=\s]+)(?:=([\s\S]*))?$/.exec(arg)
    if (match === null || /^-\d/.test(arg)) {
      args.push(arg)
      continue
    }
    const name = full(match[1]!)
    const spec = byName.get(name)!
    if (spec.argument === undefined) {
      args.push(`--${name}`)
      continue
    }
    const next = argv[i + 1]
    // Behind an equals sign a value may begin with a dash.
    if (match[2] !== undefined) args.push(`--${name}=${match[2] || NOTHING}`)
    else if (next !== undefined && !(next.startsWith('-') && byName.has(next.replace(/^--?/, '').split('=')[0]!))) {
      args.push(`--${name}=${next || NOTHING}`)
      i++
    } else if (spec.optionalArgument) args.push(`--${name}=${NOTHING}`)
    else throw new UsageError(`Option ${name} requires an argument`, false)
  }
  const parsed = yargs(args)
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'boolean-negation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'greedy-arrays': false,
      'nargs-eats-options': true,
      'short-option-groups': false,
    })
    .help(false)
    .version(false)
    .exitProcess(false)
    .fail(false)
    .options(
      Object.fromEntries(
        specs.map(({ name, argument }) => [
          name,
          argument === undefined ? { type: 'boolean' as const } : { type: 'string' as const, array: true, nargs: 1 },
        ]),
      ),
    )
    .parseSync() as Record<string, unknown> & { _: (string | number)[] }
  const found = new Map<string, string[]>()
  for (const { name } of specs) {
    const value = parsed[name]
    if (value === undefined || value === false) continue
    found.set(name, Array.isArray(value) ? value.map((text) => (text === NOTHING ? '' : String(text))) : [])
  }
  return new CommandLine(specs, found, parsed._.map(String))
}
