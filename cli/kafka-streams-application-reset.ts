import { readFileSync } from 'node:fs'
import { Admin } from '../client/admin'
import { OffsetSpec } from '../client/offsets'
import { inputOffsets, isInternalTopicOf } from './streams-reset/plan'
import { UsageError } from './tool/command-line'
import { exceptionText } from './tool/exceptions'
import { propertiesOf, runTool } from './tool/run'
import type { CommandLine } from './tool/command-line'
import type { Planned } from './consumer-groups/csv'
import type { TopicPartition } from '../client/leaders'

const PURPOSE =
  'This tool lets a Kafka Streams application process its data anew: it moves the offsets of its input topics to the beginning ' +
  '(or where you say), those of its intermediate topics to the end, and deletes its internal topics.\n' +
  'Stop all instances of the application first. Output topics and the local state of the instances are not touched: ' +
  'call KafkaStreams#cleanUp(), or the output will be wrong.\n' +
  'What it does cannot be undone: run it with --dry-run first.\n'

const TARGETS = ['to-offset', 'to-datetime', 'by-duration', 'to-earliest', 'to-latest', 'from-file', 'shift-by']

const out = (text: string): void => void process.stdout.write(text)
const shownList = (names: readonly string[]): string => `[${names.join(', ')}]`
const listOf = (line: CommandLine, option: string): string[] => line.values(option).flatMap((text) => text.split(','))

async function removeMembers(admin: Admin, line: CommandLine, group: string): Promise<void> {
  const description = (await admin.describeConsumerGroups([group])).get(group)!
  if (description instanceof Error) throw description
  if (description.members.length === 0) return
  if (!line.has('force')) {
    const members = description.members.map(
      ({ memberId, clientId, host }) => `(memberId=${memberId}, clientId=${clientId}, host=${host})`,
    )
    throw new Error(
      `Consumer group '${group}' is still active and has following members: ${shownList(members)}. Make sure to stop all ` +
        `running ` +
        "application instances before running the reset tool. You can use option '--force' to remove active members from " +
        'the group.',
    )
  }
  out(`Force deleting all active members in the group: ${group}\n`)
  for (const { error } of await admin.removeMembersFromConsumerGroup(group)) if (error !== undefined) throw error
}

/** 1 if a topic is not there. */
async function resetOffsets(admin: Admin, line: CommandLine, group: string, topics: readonly string[]): Promise<number> {
  const inputs = listOf(line, 'input-topics')
  const intermediates = listOf(line, 'intermediate-topics')
  if (inputs.length === 0 && intermediates.length === 0) {
    out('No input or intermediate topics specified. Skipping seek.\n')
    return 0
  }
  if (inputs.length > 0) out(`Reset-offsets for input topics ${shownList(inputs)}\n`)
  if (intermediates.length > 0) out(`Seek-to-end for intermediate topics ${shownList(intermediates)}\n`)
  let code = 0
  for (const [names, kind, blank] of [
    [inputs, 'input', ' '],
    [intermediates, 'intermediate', ''],
  ] as const) {
    const missing = names.filter((name) => !topics.includes(name))
    if (missing.length === 0) continue
    out(`Following ${kind} topics are not found, skipping them\n${missing.map((name) => `Topic:${blank}${name}\n`).join('')}`)
    code = 1
  }
  const found = [...new Set([...inputs, ...intermediates])].filter((name) => topics.includes(name))
  if (found.length === 0) return code
  const partitions: TopicPartition[] = (await admin.describeTopics(found)).flatMap(({ name, partitions: list }) =>
    list.map(({ partition }) => ({ topic: name, partition })),
  )
  const planned: Planned[] = []
  const ofInputs = partitions.filter(({ topic }) => inputs.includes(topic))
  if (ofInputs.length > 0) {
    out(`Following input topics offsets will be reset to (for consumer group ${group})\n`)
    const file = line.value('from-file')
    planned.push(
      ...(await inputOffsets(
        admin,
        line,
        ofInputs,
        file === undefined ? undefined : readFileSync(file, 'utf8'),
        Date.now(),
        out,
      )),
    )
    for (const { topic, partition, offset } of planned) out(`Topic: ${topic} Partition: ${partition} Offset: ${offset}\n`)
  }
  const ofIntermediates = partitions.filter(({ topic }) => !inputs.includes(topic))
  if (ofIntermediates.length > 0) {
    out(`Following intermediate topics offsets will be reset to end (for consumer group ${group})\n`)
    for (const { topic } of ofIntermediates) out(`Topic: ${topic}\n`)
    const ends = await admin.listOffsets(ofIntermediates.map((each) => ({ ...each, timestamp: OffsetSpec.latest })))
    for (const each of ofIntermediates) planned.push({ ...each, offset: ends.get(`${each.topic}-${each.partition}`)!.offset })
  }
  if (!line.has('dry-run')) {
    for (const { error } of await admin.alterConsumerGroupOffsets(group, planned)) if (error !== undefined) throw error
  }
  out('Done.\n')
  return code
}

async function deleteInternalTopics(admin: Admin, line: CommandLine, group: string, topics: readonly string[]): Promise<void> {
  const users = [...listOf(line, 'input-topics'), ...listOf(line, 'intermediate-topics')]
  const inferred = topics.filter((topic) => !users.includes(topic) && isInternalTopicOf(group, topic))
  const specified = listOf(line, 'internal-topics')
  if (specified.some((topic) => !inferred.includes(topic))) {
    throw new Error(
      'Invalid topic specified in the --internal-topics option. Ensure that the topics specified are all internal topics. ' +
        'Do a dry ' +
        'run without the --internal-topics option to see the list of all internal topics that can be deleted.',
    )
  }
  const wanted = specified.length > 0 ? specified : inferred
  out(`Deleting ${specified.length > 0 ? 'specified' : 'inferred'} internal topics ${shownList(wanted)}\n`)
  if (!line.has('dry-run')) {
    let isFailed = false
    for (const topic of wanted) {
      await admin.deleteTopics([topic]).catch((error: unknown) => {
        isFailed = true
        process.stderr.write(`ERROR: deleting topic ${topic}\n${exceptionText(error)}\n`)
      })
    }
    if (isFailed) throw new Error('Encountered an error deleting one or more topics')
  }
  out('Done.\n')
}

void runTool({
  purpose: PURPOSE,
  usageForUnknown: true,
  failure: (_, error) => ({ err: `ERROR: ${exceptionText(error)}` }),
  options: [
    {
      name: 'application-id',
      argument: 'String: id',
      required: true,
      description: 'The id of the Kafka Streams application (application.id).',
    },
    {
      name: 'bootstrap-server',
      argument: 'String: server to connect to',
      description: 'The servers to connect to, host:port and comma. (default: localhost:9092)',
    },
    { name: 'bootstrap-servers', argument: 'String: urls', description: 'DEPRECATED, use --bootstrap-server instead.' },
    { name: 'by-duration', argument: 'String', description: "Resets to the time that lies so far back: 'PnDTnHnMnS'" },
    { name: 'config-file', argument: 'String: file name', description: 'A property file with the configuration of the clients.' },
    { name: 'dry-run', description: 'Shows what would be done, and does not do it.' },
    { name: 'force', description: 'Removes members of the consumer group that have been stopped, and are still waited for.' },
    { name: 'from-file', argument: 'String', description: 'Resets to what a CSV file says.' },
    {
      name: 'input-topics',
      argument: 'String: list',
      description: 'The input topics, by comma, which are reset to the earliest offset or another.',
    },
    {
      name: 'intermediate-topics',
      argument: 'String: list',
      description: 'Topics that are input and output, by comma, which are skipped to the end.',
    },
    {
      name: 'internal-topics',
      argument: 'String: list',
      description: 'The internal topics to delete, by comma. All if left out.',
    },
    { name: 'shift-by', argument: 'Long: number-of-offsets', description: 'Moves by so many records, back if negative.' },
    { name: 'to-datetime', argument: 'String', description: "Resets to a time: 'YYYY-MM-DDTHH:mm:SS.sss'" },
    { name: 'to-earliest', description: 'Resets to the earliest offset.' },
    { name: 'to-latest', description: 'Resets to the latest offset.' },
    { name: 'to-offset', argument: 'Long', description: 'Resets to this offset.' },
  ],
  async run(line) {
    if (!line.has('application-id')) throw new UsageError('Missing required option(s) [application-id]')
    for (const target of TARGETS) line.refuseTogether(target, TARGETS)
    const group = line.required('application-id')
    const admin = new Admin({
      ...propertiesOf(line, 'config-file'),
      'bootstrap.servers': line.value('bootstrap-server') ?? line.text('bootstrap-servers', 'localhost:9092'),
    })
    try {
      await removeMembers(admin, line, group)
      const topics = (await admin.listTopics()).map(({ name }) => name)
      if (line.has('dry-run'))
        out('----Dry run displays the actions which will be performed when running Streams Reset Tool----\n')
      const code = await resetOffsets(admin, line, group, topics)
      await deleteInternalTopics(admin, line, group, topics)
      return code
    } finally {
      await admin.close()
    }
  },
})
