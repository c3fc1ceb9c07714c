import { ErrorCode, errorMessage } from '../../../protocol/errors'
import type { Place } from './place'

/** What may differ between two clusters without meaning anything. */
const MEANINGLESS = new Set(['throttleTimeMs', 'port', 'clusterId', 'logAppendTimeMs', 'usableBytes', 'totalBytes', 'logDir', 'finalizedFeaturesEpoch'])
const MADE_UP = /(?<=-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** An answer without what must differ: ports, ids, times; lists in an order of their own. */
export function normal(value: unknown, place: Place): unknown {
  const names = new Map([...place.topicIds].map(([name, id]) => [id, `<id of ${name}>`]))
  const walk = (one: unknown): unknown => {
    if (Buffer.isBuffer(one)) return one.toString('hex')
    if (Array.isArray(one)) {
      const rows = one.map(walk)
      return typeof rows[0] === 'object' ? rows.map((row) => [JSON.stringify(row), row] as const).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row) : rows
    }
    if (typeof one === 'string') return (names.get(one) ?? one).replace(MADE_UP, '<uuid>').replaceAll(String(place.cluster.port(0)), '<port>').replaceAll(place.cluster.dir, '<dir>')
    if (typeof one === 'object' && one !== null) {
      return Object.fromEntries(Object.entries(one).filter(([key]) => !MEANINGLESS.has(key)).map(([key, field]) => [key, walk(field)]))
    }
    return one
  }
  return walk(value)
}

/** Ours may say more than Apache's nothing, or its text for the code. */
function isGeneric(message: unknown): boolean {
  return message === null || message === '' || message === undefined || defaultMessages.has(message as string)
}

const defaultMessages = new Set(Object.values(ErrorCode).map((code) => errorMessage(code)))

/** The names of Scala's collections are an accident. */
function withoutScala(message: unknown): unknown {
  return typeof message === 'string' ? message.replaceAll('ArrayBuffer(', 'List(') : message
}

/** The paths at which two answers differ. */
export function differences(apache: unknown, ours: unknown, path = ''): string[] {
  if (JSON.stringify(apache) === JSON.stringify(ours)) return []
  if (Array.isArray(apache) && Array.isArray(ours) && apache.length === ours.length) {
    return apache.flatMap((row, i) => differences(row, ours[i], `${path}[${i}]`))
  }
  if (typeof apache === 'object' && typeof ours === 'object' && apache !== null && ours !== null && !Array.isArray(apache) && !Array.isArray(ours)) {
    const keys = new Set([...Object.keys(apache), ...Object.keys(ours)])
    return [...keys].flatMap((key) => differences((apache as Record<string, unknown>)[key], (ours as Record<string, unknown>)[key], `${path}.${key}`))
  }
  if (path.endsWith('.errorMessage') && (isGeneric(apache) || withoutScala(apache) === ours)) return []
  return [`${path}: Apache ${JSON.stringify(apache)}, prekraft ${JSON.stringify(ours)}`]
}
