import { partitionKey } from '../../client/leaders'
import type { TopicPartition } from '../../client/leaders'

export interface Planned extends TopicPartition {
  offset: number
}

/** The plan of each group. */
export type Plan = ReadonlyMap<string, readonly Planned[]>

/** Longer texts are quoted without a look at what is in them, as Kafka's CSV library does. */
const MOST_UNQUOTED = 24

function cell(text: string): string {
  return text.length > MOST_UNQUOTED || /[^A-Za-z0-9._-]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** `topic,partition,offset` a line, with the group in front unless there is just one. */
export function formatCsv(plan: Plan, withGroup: boolean): string {
  return [...plan]
    .flatMap(([group, list]) =>
      list.map(
        ({ topic, partition, offset }) => [...(withGroup ? [cell(group)] : []), cell(topic), partition, offset].join(',') + '\n',
      ),
    )
    .join('')
}

function cells(line: string): string[] {
  const found: string[] = []
  let rest = line
  for (;;) {
    const match = /^\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(,|$)/.exec(rest)
    if (match === null) throw new Error(`The CSV line is malformed: ${line}`)
    found.push(match[1] === undefined ? match[2]!.trim() : match[1].replaceAll('""', '"'))
    if (match[3] === '') return found
    rest = rest.slice(match[0].length)
  }
}

/** Reads what `--export` has printed: with one group either form, else the one with groups. Throws Error. */
export function parseCsv(text: string, groups: readonly string[]): Map<string, Planned[]> {
  const plan = new Map<string, Map<string, Planned>>()
  const lines = text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line.trim() !== '')
  const isShort = groups.length === 1 && lines[0] !== undefined && cells(lines[0]).length === 3
  for (const line of lines) {
    const parts = cells(line)
    const [group, topic, partition, offset] = isShort ? [groups[0]!, ...parts] : parts
    if (parts.length !== (isShort ? 3 : 4) || !/^\d+$/.test(partition ?? '') || !/^-?\d+$/.test(offset ?? ''))
      throw new Error(`The CSV line is malformed: ${line}`)
    const planned = { topic: topic!, partition: Number(partition), offset: Number(offset) }
    const list = plan.get(group!) ?? new Map<string, Planned>()
    list.set(partitionKey(planned.topic, planned.partition), planned)
    plan.set(group!, list)
  }
  return new Map([...plan].map(([group, list]) => [group, [...list.values()]]))
}
