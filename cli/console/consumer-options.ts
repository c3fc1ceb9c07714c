import { UsageError } from '../tool/command-line'
import { pairsOf, propertiesIn, propertiesOf } from '../tool/run'
import type { CommandLine } from '../tool/command-line'

/** Complains as Kafka's ConsoleConsumerOptions does, in its order. */
export function checkOptions(line: CommandLine): void {
  // Throws for several.
  line.value('topic')
  const isFiltered = line.has('include') || line.has('whitelist')
  if (line.has('topic') === isFiltered) {
    const whitelist = '--whitelist is DEPRECATED use --include instead; ignored if --include specified.'
    throw new UsageError(`Exactly one of --include/--topic is required. ${line.has('whitelist') ? whitelist : ''}`)
  }
  if (line.whole('partition') !== undefined) {
    if (!line.has('topic')) throw new UsageError('The topic is required when partition is specified.')
    if (line.has('from-beginning') && line.has('offset'))
      throw new UsageError('Options from-beginning and offset cannot be specified together.')
  } else if (line.has('offset')) throw new UsageError('The partition is required when offset is specified.')
  line.requireAll(['bootstrap-server'])
}

/** Where to begin: `--offset`, `--from-beginning`, or the end. Throws UsageError. */
export function startOf(line: CommandLine): 'earliest' | 'latest' | number {
  const text = line.value('offset')?.toLowerCase()
  if (text === undefined) return line.has('from-beginning') ? 'earliest' : 'latest'
  if (text === 'earliest' || text === 'latest') return text
  if (/^\+?\d+$/.test(text)) return Number(text)
  throw new UsageError(
    `The provided offset value '${line.required('offset')}' is incorrect. Valid values are 'earliest', 'latest', or a ` +
      'non-negative long.',
  )
}

/** The group that was named, in one place or with the same name in several. */
function groupOf(line: CommandLine, inFile: string | undefined, inProperties: string | undefined): string | undefined {
  const groups = new Set([line.value('group'), inFile, inProperties].filter((group) => group !== undefined))
  if (groups.size > 1) {
    throw new UsageError(
      "The group ids provided in different places (directly using '--group', via '--consumer-property', or via " +
        "'--consumer.config') " +
        `do not match. Detected group ids: ${[...groups].map((group) => `'${group}'`).join(', ')}`,
    )
  }
  const [group] = groups
  if (group !== undefined && line.has('partition'))
    throw new UsageError('Options group and partition cannot be specified together.')
  return group
}

/** The configuration of the consumer; without a group one with a name by chance, which commits nothing. */
export function consumerConfig(line: CommandLine, random: () => number): Record<string, string> {
  const file = propertiesOf(line, 'consumer.config')
  const typed = pairsOf(line.values('consumer-property'))
  const group = groupOf(line, file['group.id'], typed['group.id'])
  const config: Record<string, string> = {
    'client.id': 'console-consumer',
    ...file,
    ...typed,
    'bootstrap.servers': line.required('bootstrap-server'),
  }
  const reset = config['auto.offset.reset']
  if (line.has('from-beginning') && reset !== undefined && reset !== 'earliest') {
    const message = `Can't simultaneously specify --from-beginning and 'auto.offset.reset=${reset}', please remove one option`
    throw new UsageError(message, false)
  }
  config['auto.offset.reset'] = reset ?? (line.has('from-beginning') ? 'earliest' : 'latest')
  if (line.has('isolation-level')) config['isolation.level'] = line.required('isolation-level')
  if (group === undefined) {
    config['group.id'] = `console-consumer-${Math.floor(random() * 100_000)}`
    config['enable.auto.commit'] ??= 'false'
  } else config['group.id'] = group
  return config
}

/** `--property` and what may stand in its place. */
export function formatterProperties(line: CommandLine): Record<string, string> {
  const file = line.value('formatter-config')
  return {
    ...(file === undefined ? {} : propertiesIn(file)),
    ...pairsOf(line.values('property')),
    ...(line.has('key-deserializer') ? { 'key.deserializer': line.required('key-deserializer') } : {}),
    ...(line.has('value-deserializer') ? { 'value.deserializer': line.required('value-deserializer') } : {}),
  }
}
