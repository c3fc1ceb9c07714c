import { readFileSync } from 'node:fs'
import { parseProperties } from '../../protocol/files/properties'
import { ConfigError } from '../../client/config'
import { onHangup } from '../../runtime/hangup'
import { CommandLine, UsageError, parseCommandLine } from './command-line'
import { usageOf } from './usage'
import { KAFKA_VERSION } from './version'
import type { OptionSpec } from './usage'

export interface Tool {
  /** One sentence for `--help`. */
  purpose: string
  options: readonly OptionSpec[]
  run(line: CommandLine): Promise<number | void>
  /** An option that is unknown or lacks its argument shows the usage too; Kafka's tools differ in that. */
  usageForUnknown?: boolean
  /** Nobody reads stdout any more: the tool is to end soon, by itself. Without it the process ends at once. */
  outputClosed?(): void
  /** How this tool words a failure, on which stream; by default the message on stderr. */
  failure?(message: string, error: unknown): { out?: string; err?: string }
}

const COMMON: readonly OptionSpec[] = [
  { name: 'help', description: 'Print usage information.' },
  { name: 'version', description: 'Display Kafka version.' },
]

/** A reader that went away (`| head`) is no failure of the tool. `outputClosed`, if given, ends it where that was stdout's. */
export function ignoreBrokenPipe(outputClosed?: () => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (stream !== process.stdout || outputClosed === undefined) process.exit(0)
      outputClosed()
    })
  }
}

/** Runs a tool on the process's arguments and sets the exit code: 0, or 1 on any failure. Never shows a stack trace. */
export async function runTool(tool: Tool): Promise<void> {
  ignoreBrokenPipe(tool.outputClosed)
  onHangup()
  const options = [...tool.options, ...COMMON.filter(({ name }) => !tool.options.some((option) => option.name === name))]
  let line: CommandLine | undefined
  try {
    line = parseCommandLine(options, process.argv.slice(2))
    if (line.has('help')) {
      process.stderr.write(`${tool.purpose}\n${line.usage}\n`)
      process.exitCode = 1
      return
    }
    if (line.has('version')) {
      process.stdout.write(`${KAFKA_VERSION}\n`)
      return
    }
    process.exitCode = (await tool.run(line)) ?? 0
  } catch (error) {
    process.exitCode = 1
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof UsageError) {
      if (line === undefined && tool.usageForUnknown !== true && tool.failure !== undefined) {
        const { err = message } = tool.failure(message, error)
        process.stderr.write(`${err}\n`)
        return
      }
      const isShown = line === undefined ? tool.usageForUnknown === true : error.withUsage
      process.stderr.write(isShown ? `${message}\n${usageOf(options)}\n` : `${message}\n`)
      return
    }
    // A configuration that makes no sense is no failure of what was asked: Kafka says it in front of everything else.
    const { out, err } = (error instanceof ConfigError ? undefined : tool.failure?.(message, error)) ?? { err: message }
    // Where JSON is asked for nothing else goes to stdout.
    if (out !== undefined) (line?.has('json') === true ? process.stderr : process.stdout).write(`${out}\n`)
    if (err !== undefined) process.stderr.write(`${err}\n`)
    if (process.env['PREKRAFT_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  }
}

/** Reads a properties file named on the command line, or gives nothing. */
export function propertiesOf(line: CommandLine, option: string): Record<string, string> {
  const file = line.value(option)
  return file === undefined ? {} : propertiesIn(file)
}

/** Throws UsageError if the file cannot be read. */
export function propertiesIn(file: string): Record<string, string> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`, false)
  }
  return parseProperties(text)
}

/** `key=value` pairs from repeated options; without `=` the value is empty. */
export function pairsOf(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((pair) => {
      const at = pair.indexOf('=')
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
