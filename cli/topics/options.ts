import { listedTopicKeys } from '../../protocol/rules/topic-config'
import { JSON_OPTION, refuseJson } from '../tool/json'
import { UsageError } from '../tool/command-line'
import type { CommandLine } from '../tool/command-line'
import type { OptionSpec } from '../tool/usage'

export const ACTIONS = ['alter', 'create', 'describe', 'list', 'delete'] as const
export type Action = (typeof ACTIONS)[number]

const REPORTS = ['under-replicated-partitions', 'under-min-isr-partitions', 'at-min-isr-partitions', 'unavailable-partitions']

export const OPTIONS: readonly OptionSpec[] = [
  {
    name: 'bootstrap-server',
    argument: 'String: server to connect to',
    description: 'REQUIRED, or --zookeeper: the Kafka servers to connect to, host:port and comma.',
  },
  {
    name: 'zookeeper',
    argument: 'String: hosts',
    description:
      'The ZooKeeper to act on directly, as Kafka before 3.0 did: host:port, comma, a chroot at the end. It works ' +
      'while no broker does.',
  },
  {
    name: 'command-config',
    argument: 'String: command config property file',
    description: 'A property file with the configuration of the admin client.',
  },
  { name: 'list', description: 'Lists the topics.' },
  { name: 'create', description: 'Creates a topic.' },
  { name: 'delete', description: 'Deletes topics.' },
  { name: 'alter', description: "Raises the number of partitions. A topic's configuration is altered by kafka-configs." },
  { name: 'describe', description: "Shows the topics' details." },
  {
    name: 'topic',
    argument: 'String: topic',
    description:
      'The topic. A regular expression for everything but --create: quote it, and escape what is meant literally, as ' +
      'in "test\\.topic".',
  },
  {
    name: 'topic-id',
    argument: 'String: topic-id',
    description: 'The id of the topic to describe. Only with --bootstrap-server.',
  },
  {
    name: 'config',
    argument: 'String: name=value',
    repeat: true,
    description:
      'A configuration override of the topic to create, one ' +
      `of:\n${listedTopicKeys.map(({ name }) => `\t${name}`).join('\n')}\nAn existing topic is altered by kafka-configs.`,
  },
  {
    name: 'delete-config',
    argument: 'String: name',
    repeat: true,
    description: 'An override to remove. Not supported with --bootstrap-server.',
  },
  {
    name: 'partitions',
    argument: 'Integer: # of partitions',
    description:
      'How many partitions the topic is to have. Raising it changes which partition a key goes to, and with it the ' +
      "order of messages with keys. For --create the default is the cluster's.",
  },
  {
    name: 'replication-factor',
    argument: 'Integer: replication factor',
    description: "How many replicas each partition is to have. The default is the cluster's.",
  },
  {
    name: 'replica-assignment',
    argument:
      'String: broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , broker_id_for_part2_replica1 : ' +
      'broker_id_for_part2_replica2 , ...',
    description: 'Which brokers hold the replicas of each partition, by hand.',
  },
  { name: 'under-replicated-partitions', description: 'With --describe: only partitions with a replica out of sync.' },
  { name: 'unavailable-partitions', description: 'With --describe: only partitions without a live leader.' },
  {
    name: 'under-min-isr-partitions',
    description: 'With --describe: only partitions whose ISR is smaller than min.insync.replicas.',
  },
  {
    name: 'at-min-isr-partitions',
    description: 'With --describe: only partitions whose ISR has just min.insync.replicas members.',
  },
  { name: 'topics-with-overrides', description: 'With --describe: only topics with configuration overrides.' },
  { name: 'if-exists', description: 'With --alter, --delete, --describe: acts only if the topic exists.' },
  { name: 'if-not-exists', description: 'With --create: acts only if the topic does not exist.' },
  { name: 'exclude-internal', description: 'With --list, --describe: leaves internal topics out.' },
  {
    name: 'partition-size-limit-per-response',
    argument: 'Integer: maximum number of partitions in one response.',
    description: 'How many partitions one DescribeTopicPartitions answer may hold (brokers without ZooKeeper only).',
  },
  JSON_OPTION,
  { name: 'force', description: 'Suppresses questions. Only with --zookeeper.' },
]

/** Complains as Kafka's TopicCommandOptions does, in its order; gives the one action. */
export function checkOptions(line: CommandLine): Action {
  if (line.has('force') && !line.has('zookeeper')) throw new UsageError('force is not a recognized option', false)
  const actions = ACTIONS.filter((action) => line.has(action))
  if (actions.length !== 1)
    throw new UsageError('Command must include exactly one action: --list, --describe, --create, --alter or --delete')
  const action = actions[0]!
  if (!line.has('bootstrap-server') && !line.has('zookeeper')) throw new UsageError('--bootstrap-server must be specified', false)
  line.refuseTogether('zookeeper', ['bootstrap-server', 'topic-id', 'command-config'])
  if (action === 'describe' && line.has('if-exists') && !line.has('topic') && !line.has('topic-id')) {
    throw new UsageError('--topic or --topic-id is required to describe a topic')
  }
  if (action !== 'list' && action !== 'describe') line.requireAll(['topic'])
  if (action === 'alter') {
    if (line.has('config')) {
      throw new UsageError(
        'Option combination "[[bootstrap-server], [config]]" can\'t be used with option "[alter]" (the kafka-configs ' +
          'CLI supports altering topic configs with a --bootstrap-server option)',
      )
    }
    line.requireAll(['partitions'])
  }
  refuseJson(line, ['create', 'alter', 'delete'])
  const except = (...allowed: Action[]): string[] => ACTIONS.filter((each) => !allowed.includes(each))
  line.refuseTogether('config', except('alter', 'create'))
  line.refuseTogether('delete-config', [...except('alter'), 'bootstrap-server'])
  line.refuseTogether('partitions', except('alter', 'create'))
  line.refuseTogether('replication-factor', except('create'))
  line.refuseTogether('replica-assignment', except('alter', 'create'))
  if (action === 'create') line.refuseTogether('replica-assignment', ['partitions', 'replication-factor'])
  for (const report of REPORTS) line.refuseTogether(report, [...except('describe'), 'topics-with-overrides'])
  line.refuseTogether('topics-with-overrides', [...except('describe'), ...REPORTS])
  line.refuseTogether('if-exists', except('alter', 'delete', 'describe'))
  line.refuseTogether('if-not-exists', except('create'))
  line.refuseTogether('exclude-internal', except('list', 'describe'))
  return action
}

/** `0:1,1:2`: partitions by comma, replicas by colon. */
export function parseAssignment(text: string): number[][] {
  const partitions = text.split(',').map((part) =>
    part.split(':').map((id) => {
      if (!/^\s*[-+]?\d+\s*$/.test(id)) throw new Error(`For input string: "${id.trim()}"`)
      return Number(id)
    }),
  )
  partitions.forEach((replicas, partition) => {
    const duplicates = [...new Set(replicas.filter((id, index) => replicas.indexOf(id) !== index))]
    if (duplicates.length > 0)
      throw new Error(`Partition replica lists may not contain duplicate entries: ${duplicates.join(',')}`)
    if (replicas.length !== partitions[0]!.length)
      throw new Error(`Partition ${partition} has different replication factor: [${replicas.join(', ')}]`)
  })
  return partitions
}

/** The overrides given by --config. */
export function parseConfigs(line: CommandLine): Record<string, string> {
  return Object.fromEntries(
    line.values('config').map((text) => {
      const pair = text.split(/\s*=\s*/)
      while (pair.length > 1 && pair.at(-1) === '') pair.pop()
      if (pair.length !== 2)
        throw new Error('requirement failed: Invalid topic config: all configs to be added must be in the format "key=val".')
      return [pair[0]!.trim(), pair[1]!.trim()]
    }),
  )
}

/** What Kafka's IncludeList makes of a topic argument: commas are alternatives, the whole name must match. Throws Error. */
export function topicPattern(expression: string): RegExp {
  const source = expression
    .trim()
    .replace(/,/g, '|')
    .replace(/ /g, '')
    .replace(/^["']+/, '')
    .replace(/["']+$/, '')
  try {
    return new RegExp(`^(?:${source})$`)
  } catch {
    throw new Error(`${source} is an invalid regex.`)
  }
}

export function topicFilter(expression: string): (topic: string) => boolean {
  const pattern = topicPattern(expression)
  return (topic) => pattern.test(topic)
}
