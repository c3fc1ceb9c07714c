/** The tables of kafka-consumer-groups, column by column as Kafka prints them. */
import { byTopic } from '../../client/leaders'
import type { ConsumerGroupDescription, ConsumerGroupListing } from '../../client/admin/groups'
import type { Plan } from './csv'
import type { TopicPartition } from '../../client/leaders'

const MISSING = '-'

/** One partition of a group, with its owner if it has one. */
export interface OffsetRow {
  group: string
  topic?: string | undefined
  partition?: number | undefined
  offset?: number | undefined
  logEndOffset?: number | undefined
  consumerId?: string | undefined
  host?: string | undefined
  clientId?: string | undefined
}

/** A row of cells, each padded to its column but the last where its width is 0. */
function row(widths: readonly number[], cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => String(cell).padEnd(widths[index]!)).join(' ')
}

function widest(least: number, texts: readonly string[]): number {
  return Math.max(least, ...texts.map((text) => text.length))
}

export function listTable(groups: readonly ConsumerGroupListing[], withType: boolean, withState: boolean): string {
  const widths = [
    widest(
      15,
      groups.map(({ groupId }) => groupId),
    ) + 10,
    ...(withType ? [20] : []),
    ...(withState ? [20] : []),
  ]
  const capital = (text: string | undefined): string =>
    text === undefined || text === '' ? 'Unknown' : text.charAt(0).toUpperCase() + text.slice(1)
  const rows = groups.map((group) => [
    group.groupId,
    ...(withType ? [capital(group.type)] : []),
    ...(withState ? [capital(group.state)] : []),
  ])
  return [['GROUP', ...(withType ? ['TYPE'] : []), ...(withState ? ['STATE'] : [])], ...rows]
    .map((cells) => `${row(widths, cells)}\n`)
    .join('')
}

/** Rows begin with a line's end and do not end with one. */
export function offsetsTable(rows: readonly OffsetRow[]): string {
  const lag = ({ offset, logEndOffset }: OffsetRow): number | string =>
    offset === undefined || offset === -1 || logEndOffset === undefined ? MISSING : logEndOffset - offset
  const cells = rows.map((each) => [
    each.group,
    each.topic ?? MISSING,
    each.partition ?? MISSING,
    each.offset ?? MISSING,
    each.logEndOffset ?? MISSING,
    lag(each),
    each.consumerId ?? MISSING,
    each.host ?? MISSING,
    each.clientId ?? MISSING,
  ])
  const width = (index: number): number =>
    widest(
      15,
      cells.map((each) => String(each[index])),
    )
  const widths = [width(0), width(1), 10, 15, 15, 15, width(6), width(7), 0]
  const head = ['GROUP', 'TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'CONSUMER-ID', 'HOST', 'CLIENT-ID']
  return [head, ...cells].map((each) => `\n${row(widths, each)}`).join('')
}

/** `t1(0,1), t2(0)` */
function assignmentText(assignment: readonly TopicPartition[]): string {
  if (assignment.length === 0) return MISSING
  return byTopic(assignment)
    .map(
      ({ topic, partitions }) =>
        `${topic}(${partitions
          .map(({ partition }) => partition)
          .sort((a, b) => a - b)
          .join(',')})`,
    )
    .sort()
    .join(', ')
}

export function membersTable({ groupId, members }: ConsumerGroupDescription, verbose: boolean): string {
  const withInstance = members.some(({ groupInstanceId }) => (groupInstanceId ?? '') !== '')
  const cells = members.map((member) => [
    groupId,
    member.memberId,
    ...(withInstance ? [member.groupInstanceId ?? ''] : []),
    member.host,
    member.clientId,
    member.assignment.length,
    ...(verbose ? [assignmentText(member.assignment)] : []),
  ])
  const head = [
    'GROUP',
    'CONSUMER-ID',
    ...(withInstance ? ['GROUP-INSTANCE-ID'] : []),
    'HOST',
    'CLIENT-ID',
    '#PARTITIONS',
    ...(verbose ? ['ASSIGNMENT'] : []),
  ]
  const least = [15, 15, ...(withInstance ? [17] : []), 15, 15]
  const widths = [
    ...least.map((width, index) =>
      widest(
        width,
        cells.map((each) => String(each[index])),
      ),
    ),
    15,
    0,
  ]
  return `\n${[head, ...cells].map((each) => `${row(widths, each)}${verbose ? '' : ' '}\n`).join('')}`
}

export function stateTable({ groupId, coordinator, partitionAssignor, state, members }: ConsumerGroupDescription): string {
  const node = `${coordinator.host}:${coordinator.port}  (${coordinator.id})`
  const widths = [Math.max(25, node.length), 25, 20, 15, 0]
  const head = ['GROUP', 'COORDINATOR (ID)', 'ASSIGNMENT-STRATEGY', 'STATE', '#MEMBERS']
  return `${[head, [groupId, node, partitionAssignor, state, members.length]].map((each) => `\n${row(widths, each)}`).join('')}\n`
}

/** What `--reset-offsets` is about to do or has done; nothing when no group is concerned. */
export function planTable(plan: Plan): string {
  if (plan.size === 0) return ''
  const widths = [30, 30, 10, 15]
  const rows = [...plan].flatMap(([group, list]) => list.map(({ topic, partition, offset }) => [group, topic, partition, offset]))
  return `\n${[['GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET'], ...rows].map((each) => `${row(widths, each)}\n`).join('')}`
}

export interface DeletedOffset {
  topic: string
  /** -1: the topic's partitions could not be told. */
  partition: number
  error: string | undefined
}

export function deletedOffsetsTable(results: readonly DeletedOffset[]): string {
  const widths = [30, 15, 15]
  const key = ({ topic, partition }: DeletedOffset): string => `${topic}${partition}`
  const rows = [...results]
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
    .map((each) => [
      each.topic,
      each.partition < 0 ? 'Not Provided' : each.partition,
      each.error === undefined ? 'Successful' : `Error: :${each.error}`,
    ])
  return `\n${[['TOPIC', 'PARTITION', 'STATUS'], ...rows].map((each) => `${row(widths, each)}\n`).join('')}`
}
