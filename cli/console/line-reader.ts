import type { ProducerRecord } from '../../client/producer'

/** How a line of input becomes a record: the properties of Kafka's LineMessageReader. */
export interface LineFormat {
  parseKey: boolean
  keySeparator: string
  parseHeaders: boolean
  headersDelimiter: string
  headersSeparator: string
  headersKeySeparator: string
  ignoreError: boolean
  nullMarker: string | undefined
}

export function lineFormat(properties: Readonly<Record<string, string>>): LineFormat {
  const flag = (name: string): boolean => properties[name]?.trim().toLowerCase() === 'true'
  const format = {
    parseKey: flag('parse.key'),
    keySeparator: properties['key.separator'] ?? '\t',
    parseHeaders: flag('parse.headers'),
    headersDelimiter: properties['headers.delimiter'] ?? '\t',
    headersSeparator: properties['headers.separator'] ?? ',',
    headersKeySeparator: properties['headers.key.separator'] ?? ':',
    ignoreError: flag('ignore.error'),
    nullMarker: properties['null.marker'],
  }
  if (format.headersDelimiter === format.headersSeparator)
    throw new Error('headers.delimiter and headers.separator may not be equal')
  if (format.headersDelimiter === format.headersKeySeparator)
    throw new Error('headers.delimiter and headers.key.separator may not be equal')
  if (format.headersSeparator === format.headersKeySeparator)
    throw new Error('headers.separator and headers.key.separator may not be equal')
  const others = {
    'key.separator': format.keySeparator,
    'headers.separator': format.headersSeparator,
    'headers.delimiter': format.headersDelimiter,
    'headers.key.separator': format.headersKeySeparator,
  }
  for (const [name, value] of Object.entries(others)) {
    if (format.nullMarker === value) throw new Error(`null.marker and ${name} may not be equal`)
  }
  return format
}

/** What stands between line feeds, carriage returns or both, as Java's readers part it: Node's own see line ends in U+2028 and U+2029, too. */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  let isAfterReturn = false
  for await (const chunk of chunks) {
    const text = isAfterReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk
    isAfterReturn = chunk.endsWith('\r')
    const parts = text.split(/\r\n|\n|\r/)
    const last = parts.pop()!
    for (const part of parts) {
      yield rest + part
      rest = ''
    }
    rest += last
  }
  if (rest !== '') yield rest
}

/** `headers<delimiter>key<separator>value`, each part as far as it is asked for. `number` counts from 1. */
export function parseLine(topic: string, line: string, number: number, format: LineFormat): ProducerRecord {
  let rest = line
  const cut = (separator: string, what: string): string | undefined => {
    const at = rest.indexOf(separator)
    if (at < 0) {
      if (format.ignoreError) return undefined
      throw new Error(`No ${what} found on line number ${number}: '${line}'`)
    }
    const part = rest.slice(0, at)
    rest = rest.slice(at + separator.length)
    return part
  }
  const orNull = (text: string): string | null => (text === format.nullMarker ? null : text)
  const headers = format.parseHeaders ? cut(format.headersDelimiter, 'headers delimiter') : undefined
  const key = format.parseKey ? cut(format.keySeparator, 'key separator') : undefined
  return {
    topic,
    key: key === undefined ? null : orNull(key),
    value: orNull(rest),
    ...(headers === undefined || headers === format.nullMarker ? {} : { headers: splitHeaders(headers, number, format, orNull) }),
  }
}

function splitHeaders(
  text: string,
  number: number,
  format: LineFormat,
  orNull: (text: string) => string | null,
): { key: string; value: string | null }[] {
  return text.split(format.headersSeparator).map((pair) => {
    const at = pair.indexOf(format.headersKeySeparator)
    if (at < 0) {
      if (format.ignoreError) return { key: pair, value: null }
      throw new Error(`No header key separator found in pair '${pair}' on line number ${number}`)
    }
    const key = orNull(pair.slice(0, at))
    if (key === null)
      throw new Error(`Header keys should not be equal to the null marker '${format.nullMarker ?? ''}' as they can't be null`)
    return { key, value: orNull(pair.slice(at + format.headersKeySeparator.length)) }
  })
}
