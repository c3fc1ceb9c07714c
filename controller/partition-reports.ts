import type { Logger } from '../runtime/log'
import { partitionName } from './context'
import type { Partition } from './context'

type Level = 'info' | 'warn' | 'error'

interface Report {
  readonly level: Level
  readonly message: string
  readonly fields: object
  readonly partitions: Partition[]
}

/** Of many partitions so many are named in a line of the log. */
const NAMED = 3

/**
 * Gathers what one step has to say of single partitions, so that a thousand of them make one line with a count and the first few
 * names. Each one by itself is said at DEBUG; the recording has them all.
 */
export class PartitionReports {
  private readonly logger: Logger
  private readonly reports = new Map<string, Report>()

  constructor(logger: Logger) {
    this.logger = logger
  }

  add(level: Level, partition: Partition, fields: object, message: string): void {
    const key = `${message} ${JSON.stringify(fields)}`
    const report = this.reports.get(key)
    if (report === undefined) this.reports.set(key, { level, message, fields, partitions: [partition] })
    else report.partitions.push(partition)
    this.logger.debug({ partition: partitionName(partition), ...fields }, message)
  }

  /** Writes the lines and begins anew. */
  write(): void {
    for (const { level, message, fields, partitions } of this.reports.values()) {
      const names = partitions.slice(0, NAMED).map(partitionName)
      const which = partitions.length === 1 ? { partition: names[0] } : { partitions: partitions.length, first: names }
      this.logger[level]({ ...which, ...fields }, message)
    }
    this.reports.clear()
  }
}
