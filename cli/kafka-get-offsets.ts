import { Admin } from '../client/admin'
import { isInternalTopic } from '../protocol/rules/topic-name'
import { OffsetSpec } from '../client/offsets'
import { UsageError } from './tool/command-line'
import { JSON_OPTION, printJson } from './tool/json'
import { exceptionText } from './tool/exceptions'
import { checkAddresses } from './tool/addresses'
import { propertiesOf, runTool } from './tool/run'
import { topicFilter } from './topics/options'
import type { CommandLine } from './tool/command-line'

type Filter = (topic: string, partition: number) => boolean

const TIMES: Record<string, number> = {
  latest: OffsetSpec.latest,
  earliest: OffsetSpec.earliest,
  'max-timestamp': OffsetSpec.maxTimestamp,
  'earliest-local': OffsetSpec.earliestLocal,
  'latest-tiered': OffsetSpec.latestTiered,
}

function timeOf(line: CommandLine): number {
  const text = line.text('time', 'latest')
  if (TIMES[text] !== undefined) return TIMES[text]
  if (/^[-+]?\d+$/.test(text)) return Number(text)
  throw new Error(
    `Malformed time argument ${text}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or ` +
      'earliest-local / -5 or latest-tiered, or a specified long format timestamp',
  )
}

/** `3`, `0-3` (the end left out), `-3`, `2-`: a partition or a range of them. */
function partitionRule(text: string): (partition: number) => boolean {
  const match = /^(\d+)?(-)?(\d+)?$/.exec(text)
  if (text === '') return () => true
  if (match === null) throw new Error(`Invalid rule specification: ${text}`)
  if (match[2] === undefined) return (partition) => partition === Number(match[1])
  const [low, high] = [match[1] === undefined ? 0 : Number(match[1]), match[3] === undefined ? Infinity : Number(match[3])]
  return (partition) => partition >= low && partition < high
}

function filterOf(line: CommandLine): Filter {
  const rules = line.value('topic-partitions')
  if (rules !== undefined) {
    const filters = rules.split(',').map((rule): Filter => {
      const match = /^([^:]*)(?::([\d-]*))?$/.exec(rule)
      if (match === null) throw new Error(`org.apache.kafka.tools.TerseException: Invalid rule specification: ${rule}`)
      const topic = match[1] === '' ? () => true : topicFilter(match[1]!)
      const partition = partitionRule(match[2] ?? '')
      return (name, number) => topic(name) && partition(number)
    })
    return (topic, partition) => filters.some((filter) => filter(topic, partition))
  }
  const topic = line.value('topic') === undefined ? () => true : topicFilter(line.value('topic')!)
  const list = line.value('partitions')
  const partitions =
    list === undefined || list === ''
      ? undefined
      : list.split(',').map((text) => {
          if (!/^\d+$/.test(text))
            throw new Error(`--partitions expects a comma separated list of numeric partition ids, but received: ${list}`)
          return Number(text)
        })
  return (name, partition) => topic(name) && (partitions === undefined || partitions.includes(partition))
}

void runTool({
  purpose: 'An interactive shell for getting topic-partition offsets.',
  options: [
    {
      name: 'bootstrap-server',
      argument: 'String: HOST1:PORT1,...,HOST3:PORT3',
      description: 'REQUIRED. The servers to connect to, host:port and comma.',
    },
    {
      name: 'broker-list',
      argument: 'String: HOST1:PORT1,...,HOST3:PORT3',
      description: 'DEPRECATED, use --bootstrap-server instead.',
    },
    {
      name: 'topic-partitions',
      argument: 'String: topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3',
      description: 'Patterns of topics with partitions or ranges of them, by comma. Not with --topic or --partitions.',
    },
    { name: 'topic', argument: 'String: topic', description: 'The topics, as a regular expression. All if left out.' },
    { name: 'partitions', argument: 'String: partition ids', description: 'The partitions, by comma. All if left out.' },
    {
      name: 'time',
      argument:
        'String: <timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered',
      description: 'The time (ms) from which on the first offset is shown. Default: latest.',
    },
    {
      name: 'command-config',
      argument: 'String: config file',
      description: 'A property file with the configuration of the admin client.',
    },
    { name: 'exclude-internal-topics', description: 'Leaves internal topics out.' },
    JSON_OPTION,
  ],
  failure: (message) => ({ err: `Error occurred: ${message}` }),
  async run(line) {
    if (process.argv.length === 2) throw new UsageError('An interactive shell for getting topic-partition offsets.')
    const servers = line.value('bootstrap-server') ?? line.value('broker-list')
    if (servers === undefined) throw new Error('Missing required option(s) [bootstrap-server]')
    checkAddresses(servers, '\n')
    if (line.has('topic-partitions') && (line.has('topic') || line.has('partitions')))
      throw new Error('--topic-partitions cannot be used with --topic or --partitions')
    const timestamp = timeOf(line)
    const filter = filterOf(line)
    const admin = new Admin({ ...propertiesOf(line, 'command-config'), 'bootstrap.servers': servers })
    try {
      const names = (await admin.listTopics())
        .map(({ name }) => name)
        .filter((name) => !(line.has('exclude-internal-topics') && isInternalTopic(name)))
      const partitions = (await admin.describeTopics(names)).flatMap(({ name, partitions: list }) =>
        list.filter(({ partition }) => filter(name, partition)).map(({ partition }) => ({ topic: name, partition, timestamp })),
      )
      if (partitions.length === 0) throw new Error('Could not match any topic-partitions with the specified filters')
      const lines = await Promise.all(
        partitions.map(async (wanted) => {
          const name = `${wanted.topic}-${wanted.partition}`
          try {
            const [answer] = (await admin.listOffsets([wanted])).values()
            return answer === undefined || answer.offset < 0
              ? []
              : [{ name, topic: wanted.topic, partition: wanted.partition, ...answer }]
          } catch (error) {
            process.stderr.write(`Skip getting offsets for topic-partition ${name} due to error: ${exceptionText(error)}\n`)
            return []
          }
        }),
      )
      // By name and not by number: t-10 comes before t-2.
      const sorted = lines.flat().sort((a, b) => (a.name < b.name ? -1 : 1))
      if (line.has('json')) printJson({ offsets: sorted.map(({ name: _, ...each }) => each) })
      else process.stdout.write(sorted.map(({ topic, partition, offset }) => `${topic}:${partition}:${offset}\n`).join(''))
    } finally {
      await admin.close()
    }
  },
})
