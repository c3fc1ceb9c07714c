import type { Argument } from './argparse'
import type { CommandLine } from './command-line'
import type { OptionSpec } from './usage'

const WHAT = 'Shows it as one JSON document, in the names of the Admin API. Not in Kafka.'

/** What every tool that shows something takes beside Kafka's options. */
export const JSON_OPTION: OptionSpec = { name: 'json', description: WHAT }
export const JSON_ARGUMENT: Argument = { name: '--json', kind: 'flag', help: WHAT }

/** Throws UsageError if one of these, which show nothing, is asked for as JSON. */
export function refuseJson(line: CommandLine, options: readonly string[]): void {
  line.refuseTogether('json', options)
}

export function printJson(document: object): void {
  process.stdout.write(`${JSON.stringify(document)}\n`)
}
