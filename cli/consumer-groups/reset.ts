import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { OffsetSpec } from '../../client/offsets'
import { partitionKey } from '../../client/leaders'
import { UsageError } from '../tool/command-line'
import { parseDateTime, parseDuration } from '../tool/java-time'
import { TARGETS, partitionsOfArgument } from './options'
import type { Admin } from '../../client/admin'
import type { CommandLine } from '../tool/command-line'
import type { CommittedOffset } from '../../client/group/committed'
import type { Planned } from './csv'
import type { TopicPartition } from '../../client/leaders'

/** What goes on beside a reset, for stdout and for stderr. */
export interface Remarks {
  out(text: string): void
  err(text: string): void
}

type Offsets = ReadonlyMap<string, number>

const keyOf = ({ topic, partition }: TopicPartition): string => partitionKey(topic, partition)

/** Wanted offsets, moved into what the logs hold; says which were outside. */
export function withinLog(wanted: readonly Planned[], starts: Offsets, ends: Offsets, remarks: Remarks): Planned[] {
  return wanted.map((each) => {
    const key = keyOf(each)
    const [start, end] = [starts.get(key), ends.get(key)]
    const moved = end !== undefined && each.offset > end ? end : start !== undefined && each.offset < start ? start : each.offset
    if (moved !== each.offset) {
      const where = moved === end ? 'higher than latest' : 'lower than earliest'
      remarks.err(`New offset (${each.offset}) is ${where} offset for topic partition ${key}. Value will be set to ${moved}\n`)
    }
    return { ...each, offset: moved }
  })
}

/** Throws UsageError for a partition in which the group has no offset. */
export function shifted(
  partitions: readonly TopicPartition[],
  committed: ReadonlyMap<string, CommittedOffset>,
  by: number,
): Planned[] {
  return partitions.map((each) => {
    const current = committed.get(keyOf(each))
    if (current === undefined)
      throw new UsageError(`Cannot shift offset for partition ${keyOf(each)} since there is no current committed offset`)
    return { topic: each.topic, partition: each.partition, offset: current.offset + by }
  })
}

/** The partitions that `--topic` and `--all-topics` name. Throws UsageError. */
export async function partitionsToReset(
  admin: Admin,
  line: CommandLine,
  committed: () => Promise<ReadonlyMap<string, CommittedOffset>>,
): Promise<TopicPartition[]> {
  if (line.has('all-topics')) return [...(await committed()).values()].map(({ topic, partition }) => ({ topic, partition }))
  if (line.has('topic')) return partitionsOfTopics(admin, line.values('topic'))
  if (!line.has('from-file')) throw new UsageError('One of the reset scopes should be defined: --all-topics, --topic.')
  return []
}

async function partitionsOfTopics(admin: Admin, topics: readonly string[]): Promise<TopicPartition[]> {
  const named = topics
    .filter((topic) => topic.includes(':'))
    .flatMap((argument) => {
      const { topic, partitions } = partitionsOfArgument(argument)
      return partitions.map((partition) => ({ topic, partition }))
    })
  const whole = topics.filter((topic) => !topic.includes(':'))
  const found = whole.length === 0 ? [] : await admin.describeTopics(whole)
  const wrong = found.find(({ errorCode }) => errorCode !== 0)?.errorCode
  if (wrong !== undefined || found.length < new Set(whole).size)
    throw new ProtocolError(wrong ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const all = [
    ...named,
    ...found.flatMap(({ name, partitions }) => partitions.map(({ partition }) => ({ topic: name, partition }))),
  ]
  return [...new Map(all.map((each) => [keyOf(each), each])).values()]
}

/** Finds the offsets that a group is to be reset to. */
export class ResetPlanner {
  private readonly admin: Admin
  private readonly line: CommandLine
  private readonly fromFile: ReadonlyMap<string, readonly Planned[]> | undefined
  private readonly nowMs: number
  private readonly remarks: Remarks

  constructor(
    admin: Admin,
    line: CommandLine,
    fromFile: ReadonlyMap<string, readonly Planned[]> | undefined,
    nowMs: number,
    remarks: Remarks,
  ) {
    this.admin = admin
    this.line = line
    this.fromFile = fromFile
    this.nowMs = nowMs
    this.remarks = remarks
  }

  async plan(group: string): Promise<Planned[]> {
    const { line } = this
    let known: Promise<ReadonlyMap<string, CommittedOffset>> | undefined
    const committed = (): Promise<ReadonlyMap<string, CommittedOffset>> => (known ??= this.admin.listConsumerGroupOffsets(group))
    const partitions = await partitionsToReset(this.admin, line, committed)
    switch (TARGETS.find((target) => line.has(target))) {
      case 'to-offset': {
        const offset = line.whole('to-offset', 0)
        return this.checked(partitions.map((each) => ({ ...each, offset })))
      }
      case 'to-earliest':
        return at(partitions, await this.offsets(partitions, OffsetSpec.earliest), 'starting offset')
      case 'to-latest':
        return at(partitions, await this.offsets(partitions, OffsetSpec.latest), 'ending offset')
      case 'shift-by':
        return this.checked(shifted(partitions, await committed(), line.whole('shift-by', 0)))
      case 'to-datetime':
        return this.atTime(partitions, parseDateTime(line.required('to-datetime')))
      case 'by-duration':
        return this.atTime(partitions, this.nowMs - parseDuration(line.required('by-duration')))
      case 'from-file':
        return this.asInFile(group)
      case 'to-current': {
        const offsets = await committed()
        const without = partitions.filter((each) => !offsets.has(keyOf(each)))
        const ends = await this.offsets(without, OffsetSpec.latest)
        return partitions.map((each) => ({ ...each, offset: offsets.get(keyOf(each))?.offset ?? ends.get(keyOf(each))! }))
      }
      case undefined:
        throw new UsageError(
          `Option '[reset-offsets]' requires one of the following scenarios: ` +
            `[${TARGETS.map((target) => `[${target}]`).join(', ')}]`,
        )
    }
  }

  private asInFile(group: string): Promise<Planned[]> {
    const planned = this.fromFile?.get(group)
    if (planned !== undefined) return this.checked(planned)
    this.remarks.out(`\nError: No reset plan for group ${group} found\n`)
    return Promise.resolve([])
  }

  private async checked(wanted: readonly Planned[]): Promise<Planned[]> {
    const [starts, ends] = await Promise.all([this.offsets(wanted, OffsetSpec.earliest), this.offsets(wanted, OffsetSpec.latest)])
    return withinLog(wanted, starts, ends, this.remarks)
  }

  private async atTime(partitions: readonly TopicPartition[], timestamp: number): Promise<Planned[]> {
    const found = await this.offsets(partitions, timestamp)
    const without = partitions.filter((each) => (found.get(keyOf(each)) ?? -1) < 0)
    for (const { topic, partition } of without)
      this.remarks.out(`\nWarn: Partition ${partition} from topic ${topic} is empty. Falling back to latest known offset.\n`)
    const ends = await this.offsets(without, OffsetSpec.latest)
    return partitions.map(({ topic, partition }) => {
      const key = partitionKey(topic, partition)
      return { topic, partition, offset: ends.get(key) ?? found.get(key)! }
    })
  }

  private async offsets(partitions: readonly TopicPartition[], timestamp: number): Promise<Map<string, number>> {
    if (partitions.length === 0) return new Map()
    const found = await this.admin.listOffsets(partitions.map(({ topic, partition }) => ({ topic, partition, timestamp })))
    return new Map([...found].map(([key, { offset }]) => [key, offset]))
  }
}

function at(partitions: readonly TopicPartition[], offsets: Offsets, what: string): Planned[] {
  return partitions.map(({ topic, partition }) => {
    const offset = offsets.get(partitionKey(topic, partition))
    if (offset === undefined) throw new UsageError(`Error getting ${what} of topic partition: ${partitionKey(topic, partition)}`)
    return { topic, partition, offset }
  })
}
