import { Consumer } from '../client/consumer'
import { RecordFormat } from './console/record-format'
import { topicFilter } from './topics/options'
import { UsageError } from './tool/command-line'
import { pairsOf, propertiesIn, propertiesOf, runTool } from './tool/run'
import type { CommandLine } from './tool/command-line'
import type { TopicPartition } from '../client/leaders'

const EVENT_POLL_MS = 500

function startOf(line: CommandLine): 'earliest' | 'latest' | number {
  const text = line.value('offset')?.toLowerCase()
  if (text === undefined) return line.has('from-beginning') ? 'earliest' : 'latest'
  if (text === 'earliest' || text === 'latest') return text
  if (/^\d+$/.test(text)) return Number(text)
  throw new UsageError(
    `The provided offset value '${line.required('offset')}' is incorrect. Valid values are 'earliest', 'latest', or a ` +
      'non-negative long.',
  )
}

function check(line: CommandLine): void {
  if (['topic', 'include', 'whitelist'].filter((name) => line.has(name)).length !== 1)
    throw new UsageError('Exactly one of --include/--topic is required. ')
  line.requireAll(['bootstrap-server'])
  if (line.has('partition')) {
    if (!line.has('topic')) throw new UsageError('The topic is required when partition is specified.')
    if (line.has('from-beginning') && line.has('offset'))
      throw new UsageError('Options from-beginning and offset cannot be specified together.')
  } else if (line.has('offset')) throw new UsageError('The partition is required when offset is specified.')
  if (line.has('group') && line.has('partition'))
    throw new UsageError('Options group and partition cannot be specified together.')
  if (line.has('group') || pairsOf(line.values('consumer-property'))['group.id'] !== undefined) {
    throw new UsageError('Option "[group]" needs consumer groups, which this version of prekraft does not have yet.', false)
  }
  const formatter = line.text('formatter', 'DefaultMessageFormatter')
  if (!/(Default|NoOp)MessageFormatter$/.test(formatter))
    throw new UsageError(`Class ${formatter} could not be found: there are DefaultMessageFormatter and NoOpMessageFormatter.`)
}

async function partitionsOf(consumer: Consumer, line: CommandLine): Promise<TopicPartition[]> {
  const topic = line.value('topic')
  if (topic !== undefined && line.has('partition')) return [{ topic, partition: line.whole('partition', 0) }]
  if (topic !== undefined) return (await consumer.partitionsFor(topic)).partitions.map(({ partition }) => ({ topic, partition }))
  const wanted = topicFilter(line.value('include') ?? line.required('whitelist'))
  return (await consumer.listTopics())
    .filter(({ name }) => wanted(name))
    .flatMap(({ name, partitions }) => partitions.map(({ partition }) => ({ topic: name, partition })))
}

/** Writes without waiting for each line; waits when the reader is slow. */
function out(bytes: Buffer): Promise<void> | undefined {
  if (process.stdout.write(bytes)) return undefined
  return new Promise((resolve) => process.stdout.once('drain', resolve))
}

const PURPOSE = 'This tool helps to read data from Kafka topics and outputs it to standard output.'

void runTool({
  purpose: PURPOSE,
  usageForUnknown: true,
  options: [
    { name: 'topic', argument: 'String: topic', description: 'The topic to read.' },
    { name: 'include', argument: 'String: Java regex (String)', description: 'The topics to read, as a regular expression.' },
    { name: 'whitelist', argument: 'String: Java regex (String)', description: 'DEPRECATED, use --include instead.' },
    {
      name: 'partition',
      argument: 'Integer: partition',
      description: 'The one partition to read; from its end, unless --offset says otherwise.',
    },
    {
      name: 'offset',
      argument: 'String: consume offset',
      description: 'Where to begin: a number, earliest or latest. Default: latest.',
    },
    { name: 'bootstrap-server', argument: 'String: server to connect to', description: 'REQUIRED: The servers to connect to.' },
    { name: 'from-beginning', description: 'Begins with the earliest record.' },
    { name: 'max-messages', argument: 'Integer: num_messages', description: 'Ends after so many records.' },
    { name: 'timeout-ms', argument: 'Long: timeout_ms', description: 'Ends when no record came for so long.' },
    {
      name: 'isolation-level',
      argument: 'String',
      description: 'read_committed to leave out transactions that are open or aborted. Default: read_uncommitted.',
    },
    { name: 'group', argument: 'String: consumer group id', description: 'The consumer group.' },
    { name: 'formatter', argument: 'String: class', description: 'DefaultMessageFormatter or NoOpMessageFormatter.' },
    { name: 'formatter-config', argument: 'String: config file', description: 'A file with properties of the formatter.' },
    {
      name: 'property',
      argument: 'String: prop',
      repeat: true,
      description:
        'How records are shown, key=value: print.timestamp, print.key, print.offset, print.partition, print.headers, ' +
        'print.value=true, key.separator=\\t, line.separator=\\n, headers.separator=,, null.literal=null, ' +
        'key.deserializer, value.deserializer, headers.deserializer',
    },
    { name: 'key-deserializer', argument: 'String: deserializer for key', description: 'The deserializer of keys.' },
    { name: 'value-deserializer', argument: 'String: deserializer for values', description: 'The deserializer of values.' },
    {
      name: 'consumer-property',
      argument: 'String: consumer_prop',
      repeat: true,
      description: 'A configuration of the consumer, key=value.',
    },
    { name: 'consumer.config', argument: 'String: config file', description: 'A file with configurations of the consumer.' },
    { name: 'skip-message-on-error', description: 'Leaves out a record that cannot be shown instead of ending.' },
    { name: 'enable-systest-events', description: 'Accepted for old scripts.' },
  ],
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    check(line)
    line.whole('partition')
    const start = startOf(line)
    const formatFile = line.value('formatter-config')
    const format = new RecordFormat({
      ...(formatFile === undefined ? {} : propertiesIn(formatFile)),
      ...(line.has('key-deserializer') ? { 'key.deserializer': line.required('key-deserializer') } : {}),
      ...(line.has('value-deserializer') ? { 'value.deserializer': line.required('value-deserializer') } : {}),
      ...pairsOf(line.values('property')),
    })
    const silent = /NoOpMessageFormatter$/.test(line.text('formatter', ''))
    const isolation = line.value('isolation-level')
    const consumer = new Consumer({
      'auto.offset.reset': typeof start === 'string' ? start : 'latest',
      'client.id': 'console-consumer',
      ...propertiesOf(line, 'consumer.config'),
      ...pairsOf(line.values('consumer-property')),
      ...(isolation === undefined ? {} : { 'isolation.level': isolation }),
      'bootstrap.servers': line.required('bootstrap-server'),
    })
    const most = line.whole('max-messages', -1)
    const timeoutMs = line.whole('timeout-ms', -1)
    let count = 0
    const stop = (): void => void consumer.close()
    process.once('SIGINT', stop).once('SIGTERM', stop)
    try {
      const partitions = await partitionsOf(consumer, line)
      consumer.assign(partitions)
      if (typeof start === 'number') for (const each of partitions) consumer.seek(each, start)
      let lastMs = performance.now()
      while (most < 0 || count < most) {
        const records = await consumer.poll(
          timeoutMs < 0 ? EVENT_POLL_MS : Math.max(Math.min(timeoutMs - (performance.now() - lastMs), EVENT_POLL_MS), 0),
        )
        for (const record of records.slice(0, most < 0 ? undefined : most - count)) {
          count++
          if (silent) continue
          try {
            await out(format.format(record))
          } catch (error) {
            if (!line.has('skip-message-on-error')) throw error
            process.stderr.write(`Error processing message, skipping this message: ${String(error)}\n`)
          }
        }
        if (records.length > 0) lastMs = performance.now()
        else if (timeoutMs >= 0 && performance.now() - lastMs >= timeoutMs) {
          process.stderr.write('Error processing message, terminating consumer process: no record came within --timeout-ms\n')
          break
        }
      }
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'CLOSED') throw error
    } finally {
      await consumer.close()
      process.stderr.write(`Processed a total of ${count} messages\n`)
    }
  },
})
