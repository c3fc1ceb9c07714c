import { Consumer } from '../client/consumer'
import { formatDate, header, intervalLine, summaryLine } from './performance/consumption'
import { metricsTable } from './performance/metrics'
import { UsageError } from './tool/command-line'
import { Progress } from './tool/progress'
import { propertiesOf, runTool } from './tool/run'
import type { CommandLine } from './tool/command-line'

const PURPOSE = 'This tool is used to verify the consumer performance.'
const POLL_MS = 100

const print = (text: string): void => void process.stdout.write(text)

function check(line: CommandLine): void {
  if (!line.has('bootstrap-server') && !line.has('broker-list'))
    throw new UsageError('Missing required option(s) [bootstrap-server]')
  if (line.has('threads') || line.has('num-fetch-threads'))
    print('WARNING: option [threads] and [num-fetch-threads] have been deprecated and will be ignored by the test\n')
  line.requireAll(['topic', 'messages'])
}

/** Reads until there are enough, or nothing comes any more. */
async function consume(
  consumer: Consumer,
  line: CommandLine,
  date: (timeMs: number) => string,
): Promise<{ bytes: number; messages: number; joinMs: number }> {
  const wanted = line.whole('messages', 0)
  const timeoutMs = line.whole('timeout', 10_000)
  const intervalMs = line.whole('reporting-interval', 5000)
  if (intervalMs <= 0) throw new Error('Reporting interval must be greater than 0.')
  const total = { bytes: 0, messages: 0, joinMs: 0 }
  let joinStartMs = Date.now()
  let interval = { startMs: Date.now(), bytes: 0, messages: 0, joinMs: 0 }
  consumer.subscribe([line.required('topic')], {
    onPartitionsRevoked: () => void (joinStartMs = Date.now()),
    onPartitionsAssigned: () => {
      const elapsedMs = Date.now() - joinStartMs
      total.joinMs += elapsedMs
      interval.joinMs += elapsedMs
    },
  })
  let lastMs = Date.now()
  // Where lines are printed on the way they say enough.
  const progress = line.has('show-detailed-stats') ? undefined : new Progress('messages consumed', wanted)
  while (total.messages < wanted && Date.now() - lastMs <= timeoutMs) {
    const records = await consumer.poll(POLL_MS)
    const nowMs = Date.now()
    if (records.length > 0) lastMs = nowMs
    progress?.add(records.length)
    for (const { key, value } of records) {
      const bytes = (key?.length ?? 0) + (value?.length ?? 0)
      for (const counts of [total, interval]) {
        counts.messages++
        counts.bytes += bytes
      }
      if (nowMs - interval.startMs < intervalMs) continue
      if (line.has('show-detailed-stats')) print(intervalLine(date, total, { ...interval, endMs: nowMs }))
      interval = { startMs: nowMs, bytes: 0, messages: 0, joinMs: 0 }
    }
  }
  progress?.clear()
  if (total.messages < wanted) {
    print(
      `WARNING: Exiting before consuming the expected number of messages: timeout (${timeoutMs} ms) exceeded. ` +
        'You can use the --timeout option to increase the timeout.\n',
    )
  }
  return total
}

void runTool({
  purpose: PURPOSE,
  usageForUnknown: true,
  options: [
    { name: 'bootstrap-server', argument: 'String: server to connect to', description: 'REQUIRED: The servers to connect to.' },
    { name: 'broker-list', argument: 'String: broker-list', description: 'DEPRECATED, use --bootstrap-server instead.' },
    { name: 'topic', argument: 'String: topic', description: 'REQUIRED: The topic to consume.' },
    { name: 'group', argument: 'String: gid', description: 'The consumer group. (default: perf-consumer- and a number)' },
    { name: 'fetch-size', argument: 'Integer: size', description: 'Bytes to fetch of a partition at once. (default: 1048576)' },
    {
      name: 'from-latest',
      description: 'Begins with the latest record where the group has no offset, and not with the earliest.',
    },
    { name: 'socket-buffer-size', argument: 'Integer: size', description: 'Accepted for old scripts. (default: 2097152)' },
    { name: 'threads', argument: 'Integer: count', description: 'DEPRECATED AND IGNORED. (default: 10)' },
    { name: 'num-fetch-threads', argument: 'Integer: count', description: 'DEPRECATED AND IGNORED. (default: 1)' },
    { name: 'consumer.config', argument: 'String: config file', description: 'A file with configurations of the consumer.' },
    { name: 'print-metrics', description: 'Prints metrics at the end.' },
    { name: 'show-detailed-stats', description: 'Prints a line for each interval.' },
    {
      name: 'timeout',
      argument: 'Long: milliseconds',
      optionalArgument: true,
      description: 'Ends when no record came for so long. (default: 10000)',
    },
    { name: 'messages', argument: 'Long: count', description: 'REQUIRED: How many records to consume.' },
    { name: 'reporting-interval', argument: 'Long: interval_ms', description: 'How long an interval is, ms. (default: 5000)' },
    {
      name: 'date-format',
      argument: 'String: date format',
      description: 'How times are shown, by the letters of java.text.SimpleDateFormat. (default: yyyy-MM-dd HH:mm:ss:SSS)',
    },
    { name: 'hide-header', description: 'Leaves the header out.' },
  ],
  async run(line) {
    if (process.argv.length === 2) throw new UsageError('Missing required option(s) [bootstrap-server]')
    check(line)
    const config: Record<string, string> = {
      'client.id': 'perf-consumer-client',
      ...propertiesOf(line, 'consumer.config'),
      'bootstrap.servers': line.value('bootstrap-server') ?? line.required('broker-list'),
      'group.id': line.text('group', `perf-consumer-${Math.floor(Math.random() * 100_000)}`),
      'max.partition.fetch.bytes': String(line.whole('fetch-size', 1_048_576)),
      'auto.offset.reset': line.has('from-latest') ? 'latest' : 'earliest',
      'check.crcs': 'false',
    }
    const pattern = line.text('date-format', 'yyyy-MM-dd HH:mm:ss:SSS')
    const date = (timeMs: number): string => formatDate(pattern, timeMs)
    const isDetailed = line.has('show-detailed-stats')
    if (!line.has('hide-header')) print(header(isDetailed))
    const consumer = new Consumer(config)
    const startMs = Date.now()
    let total: { bytes: number; messages: number; joinMs: number }
    let endMs: number
    try {
      total = await consume(consumer, line, date)
      endMs = Date.now()
    } finally {
      await consumer.close()
    }
    if (!isDetailed) print(summaryLine(date, { ...total, startMs, endMs }))
    if (line.has('print-metrics')) {
      const metric = (name: string, value: number) => ({
        group: 'consumer-fetch-manager-metrics',
        name,
        tags: { 'client-id': config['client.id']! },
        value,
      })
      print(metricsTable([metric('records-consumed-total', total.messages), metric('bytes-consumed-total', total.bytes)]))
    }
  },
})
