import { onHangup } from '../../runtime/hangup'
import { ArgparseError, HelpRequest, parseArguments } from './argparse'
import { ignoreBrokenPipe } from './run'
import { KAFKA_VERSION } from './version'
import type { Arguments, Parser } from './argparse'

/** The tool has said on stderr what went wrong: exit code 1. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

export const VERSION = { name: '--version', short: '-v', help: 'Shows the version of Kafka and exits.', kind: 'flag' } as const

/** Runs a tool with argparse4j's command line on the process's arguments and sets the exit code. */
export async function runArgparseTool(parser: Parser, run: (given: Arguments) => Promise<number | void>): Promise<void> {
  ignoreBrokenPipe()
  onHangup()
  const argv = process.argv.slice(2)
  try {
    if (parser.arguments.includes(VERSION) && (argv[0] === '--version' || argv[0] === '-v')) {
      process.stdout.write(`${KAFKA_VERSION}\n`)
      return
    }
    process.exitCode = (await run(parseArguments(parser, argv))) ?? 0
  } catch (error) {
    process.exitCode = 1
    if (error instanceof HelpRequest) process.stdout.write(error.message)
    else if (error instanceof ArgparseError) process.stderr.write(`${error.usage}${error.message}\n`)
    else {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
      if (process.env['PREKRAFT_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
    }
  }
}
