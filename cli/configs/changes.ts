import { readFileSync } from 'node:fs'
import { parseProperties } from '../../protocol/files/properties'
import { UsageError } from '../tool/command-line'
import type { CommandLine } from '../tool/command-line'

/** A comma, or blanks and an equals sign, but not between brackets. */
const OUTSIDE_BRACKETS = '(?=[^\\]]*(?:\\[|$))'

/** Of `k1=v1,k2=[a,b]` the pairs; undefined where something is no pair. */
export function parsePairs(text: string): [string, string][] | undefined {
  const parts = text.split(new RegExp(`,${OUTSIDE_BRACKETS}`))
  while (parts.length > 1 && parts.at(-1) === '') parts.pop()
  const pairs = parts.map((part) => part.split(new RegExp(`\\s*=\\s*${OUTSIDE_BRACKETS}`)))
  if (pairs.some((pair) => pair.length !== 2)) return undefined
  return pairs.map(([key, value]) => [key!.trim(), value!.replace(/[[\]]/g, '').trim()])
}

/** What shall be set. Throws UsageError, or an Error for a file that cannot be read. */
export function configsToAdd(line: CommandLine): Record<string, string> {
  const added: Record<string, string> = Object.create(null)
  const file = line.value('add-config-file')
  if (file !== undefined) Object.assign(added, propertiesIn(file))
  const text = line.value('add-config')
  if (text !== undefined) {
    const pairs = parsePairs(text)
    if (pairs === undefined) {
      const complaint = 'Invalid entity config: all configs to be added must be in the format "key=val".'
      throw new UsageError(`requirement failed: ${complaint}`, false)
    }
    for (const [key, value] of pairs) added[key] = value
  }
  const version = added['message.format.version']
  if (version !== undefined) {
    process.stdout.write(
      `WARNING: The configuration message.format.version=${version} is specified. This configuration will be ignored if the ` +
        'version is newer than the inter.broker.protocol.version specified in the broker or if the ' +
        'inter.broker.protocol.version is 3.0 or newer. This configuration is deprecated and it will be removed in Apache ' +
        'Kafka 4.0.\n',
    )
  }
  for (const key of Object.keys(added)) {
    if (!/^[a-zA-Z0-9._-]*$/.test(key)) throw new UsageError(`Invalid character found for config key: ${key}`, false)
  }
  return added
}

function propertiesIn(file: string): Record<string, string> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error((error as NodeJS.ErrnoException).code === 'ENOENT' ? file : (error as Error).message)
  }
  return parseProperties(text)
}

/** What shall be removed. */
export function configsToDelete(line: CommandLine): string[] {
  return line.values('delete-config').flatMap((list) => list.split(',')).map((key) => key.trim())
}

/** Throws UsageError if something shall be removed that is not set. */
export function checkDeletions(deleted: readonly string[], isSet: (key: string) => boolean): void {
  const missing = deleted.filter((key) => !isSet(key))
  if (missing.length > 0) throw new UsageError(`Invalid config(s): ${missing.join(',')}`, false)
}
