import type { CompressionPool } from '../../protocol/records/compression'
import { checkStructure } from '../../protocol/records/structure'
import { isWorthPreparing, prepareRecords } from '../../protocol/records/validate'
import type { Log } from './log'
import { asLogError, LogError } from './log-error'
import type { PreparedRecords } from './log-types'

/** True if a client's records ask for work that would hold up the event loop. */
export function needsPreparation(log: Log, records: Buffer): boolean {
  return isWorthPreparing(records, log.appendRules.get(log.name, log.config, true), log.context.clock.wallMs())
}

/**
 * Opens, checks and compresses a client's records by the rules that the log has now, changing nothing of the log. What is wrong with
 * the records is an outcome, too: the append refuses them, after all that it would have refused before.
 */
export async function prepare(log: Log, records: Buffer, pool: CompressionPool): Promise<PreparedRecords> {
  const rules = log.appendRules.get(log.name, log.config, true)
  try {
    const structure = checkStructure(records, rules)
    const whole = records.subarray(0, structure.validBytes)
    if (whole.length === 0) return { rules, outcome: whole }
    return { rules, outcome: await prepareRecords(whole, structure, rules, log.context.clock.wallMs(), pool) }
  } catch (error) {
    const refusal = asLogError(error)
    if (refusal instanceof LogError) return { rules, outcome: refusal }
    throw refusal
  }
}
