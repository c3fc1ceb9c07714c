import pino from 'pino'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** One line per event: what happened in words, its particulars as fields. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: Record<string, unknown>): Logger
}

export interface LoggerOptions {
  level: LogLevel
  /** The component's name, on each line. */
  name: string
  /** Where the lines go; standard output by default. */
  stream?: { write(line: string): void }
}

/** Lines that wait while nothing can be written; what comes beyond is dropped. */
const MOST_WAITING_BYTES = 1024 * 1024

/** A name that a stranger chose may be 32 KiB long: a line shows its beginning. */
const MOST_CHARACTERS = 1000

/** The fields of one line, with texts that are not too long. Fields within fields are ours, and short. */
function shortened(fields: Record<string, unknown>): Record<string, unknown> {
  let result = fields
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value !== 'string' || value.length <= MOST_CHARACTERS) continue
    if (result === fields) result = { ...fields }
    result[key] = `${value.slice(0, MOST_CHARACTERS)}... (${value.length} characters)`
  }
  return result
}

/**
 * NDJSON by pino, synchronous, so that the last words of a dying process are written. Where a line cannot be written (the disk is full),
 * the process goes on without it.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      name: options.name,
      base: { name: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: shortened },
    },
    options.stream ?? standardOutput(),
  )
}

function standardOutput(): { write(line: string): void } {
  const destination = pino.destination({ dest: 1, sync: true, maxLength: MOST_WAITING_BYTES })
  destination.on('error', () => {})
  return destination
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}
