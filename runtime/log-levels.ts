import type { Logger } from './log'

/** Kafka's (log4j's) names of levels, from the least to the most severe. */
export const LEVEL_NAMES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const
export type LevelName = (typeof LEVEL_NAMES)[number]

export const ROOT_LOGGER = 'root'

/**
 * Loggers by name, whose levels can be changed while the process runs (KIP-412). A logger without a level of its own has that of
 * the nearest one above it, `kafka.log` that of `kafka`, and in the end that of `root`.
 */
export class LogLevels {
  private readonly output: Logger
  private readonly own = new Map<string, LevelName | undefined>()
  private readonly thresholds = new Map<string, { value: number }>()

  /** `output` must let everything through that is ever to be seen. */
  constructor(output: Logger, level: LevelName) {
    this.output = output
    this.own.set(ROOT_LOGGER, level)
  }

  /** A logger of that name; several may have one name. */
  logger(name: string): Logger {
    if (!this.own.has(name)) this.own.set(name, undefined)
    let threshold = this.thresholds.get(name)
    if (threshold === undefined) this.thresholds.set(name, (threshold = { value: LEVEL_NAMES.indexOf(this.levelOf(name)) }))
    return new LeveledLogger(this.output, threshold)
  }

  /** The levels in force by name. */
  all(): ReadonlyMap<string, LevelName> {
    return new Map([...this.own.keys()].map((name) => [name, this.levelOf(name)]))
  }

  has(name: string): boolean {
    return this.own.has(name)
  }

  /** undefined: as the one above. The root must have one. */
  set(name: string, level: LevelName | undefined): void {
    if (!this.own.has(name)) throw new RangeError(`no logger ${name}`)
    if (name === ROOT_LOGGER && level === undefined) throw new RangeError('the root logger must have a level')
    this.own.set(name, level)
    for (const [each, threshold] of this.thresholds) threshold.value = LEVEL_NAMES.indexOf(this.levelOf(each))
  }

  private levelOf(name: string): LevelName {
    for (let at = name; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('.'), 0))) {
      const level = this.own.get(at)
      if (level !== undefined) return level
    }
    return this.own.get(ROOT_LOGGER)!
  }
}

const [DEBUG, INFO, WARN, ERROR] = [1, 2, 3, 4]

class LeveledLogger implements Logger {
  private readonly output: Logger
  private readonly threshold: { readonly value: number }

  constructor(output: Logger, threshold: { readonly value: number }) {
    this.output = output
    this.threshold = threshold
  }

  debug(fields: object, message: string): void {
    if (this.threshold.value <= DEBUG) this.output.debug(fields, message)
  }

  info(fields: object, message: string): void {
    if (this.threshold.value <= INFO) this.output.info(fields, message)
  }

  warn(fields: object, message: string): void {
    if (this.threshold.value <= WARN) this.output.warn(fields, message)
  }

  error(fields: object, message: string): void {
    if (this.threshold.value <= ERROR) this.output.error(fields, message)
  }

  child(fields: Record<string, unknown>): Logger {
    return new LeveledLogger(this.output.child(fields), this.threshold)
  }
}
