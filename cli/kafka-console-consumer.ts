import { Consumer } from '../client/consumer'
import { WakeupError } from '../client/consumer/errors'
import { formatterOf } from './console/formatters'
import { checkOptions, consumerConfig, formatterProperties, startOf } from './console/consumer-options'
import { deprecationOf } from './console/formatters'
import { exceptionText } from './tool/exceptions'
import { UsageError } from './tool/command-line'
import { onSignal } from './tool/signals'
import { runTool } from './tool/run'
import type { CommandLine } from './tool/command-line'
import type { ConsumerRecord } from '../client/fetched'
import type { Formatter } from './console/formatters'

/** A poll for ever is many of these. */
const POLL_MS = 60_000

const err = (text: string): void => void process.stderr.write(`${text}\n`)

/** Nobody reads what is shown any more. */
let isClosed = false
let goOn: (() => void) | undefined

/** Writes without waiting for each line; waits when the reader is slow, until it takes more or goes away. */
function out(bytes: Buffer): Promise<void> | undefined {
  if (process.stdout.write(bytes)) return undefined
  return new Promise((resolve) => {
    goOn = resolve
    process.stdout.once('drain', resolve)
  })
}

function formatter(line: CommandLine): Formatter {
  const name = line.text('formatter', 'org.apache.kafka.tools.consumer.DefaultMessageFormatter')
  const deprecation = deprecationOf(name)
  if (deprecation !== undefined) err(deprecation)
  try {
    // Kafka's log of its tools shows warnings, and these lines are less than that.
    return formatterOf(name, formatterProperties(line), () => {}, err)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function subscribe(consumer: Consumer, line: CommandLine): void {
  const topic = line.value('topic')
  if (topic === undefined) {
    consumer.subscribe(new RegExp(`^(?:${line.value('include') ?? line.required('whitelist')})$`))
    return
  }
  if (!line.has('partition')) {
    consumer.subscribe([topic])
    return
  }
  const partition = { topic, partition: line.whole('partition', 0) }
  consumer.assign([partition])
  const start = startOf(line)
  if (typeof start === 'number') consumer.seek(partition, start)
  else if (start === 'earliest') consumer.seekToBeginning()
  else consumer.seekToEnd()
}

/** What was polled and not shown has not been consumed: no commit may pass it. */
function giveBack(consumer: Consumer, left: readonly ConsumerRecord[]): void {
  const assigned = new Set(consumer.assignment().map(({ topic, partition }) => `${topic}-${partition}`))
  for (const { topic, partition, offset } of left) {
    if (!assigned.delete(`${topic}-${partition}`)) continue
    consumer.seek({ topic, partition }, offset)
  }
}

const PURPOSE = 'This tool helps to read data from Kafka topics and outputs it to standard output.'

void runTool({
  purpose: PURPOSE,
  usageForUnknown: true,
  // The consumer leaves its group, and commits what was shown.
  outputClosed() {
    isClosed = true
    goOn?.()
  },
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
    {
      name: 'group',
      argument: 'String: consumer group id',
      description: 'The consumer group. Default: a new one, which commits nothing.',
    },
    {
      name: 'formatter',
      argument: 'String: class',
      description:
        'How records are shown, one of org.apache.kafka.tools.consumer.: DefaultMessageFormatter, LoggingMessageFormatter, ' +
        'NoOpMessageFormatter, and for internal topics OffsetsMessageFormatter, GroupMetadataMessageFormatter, ' +
        'TransactionLogMessageFormatter.',
    },
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
    { name: 'enable-systest-events', description: 'Says shutdown_complete at the end.' },
  ],
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    checkOptions(line)
    startOf(line)
    const config = consumerConfig(line, Math.random)
    const format = formatter(line)
    const timeoutMs = line.whole('timeout-ms', -1)
    const consumer = new Consumer(config)
    let count = 0
    let stopping = false
    let records: ConsumerRecord[] = []
    onSignal(() => {
      stopping = true
      consumer.wakeup()
    })
    /** The next records; none when the time is over. Throws what went wrong. */
    const receive = async (): Promise<ConsumerRecord[]> => {
      const startMs = performance.now()
      for (;;) {
        const found = await consumer.poll(timeoutMs < 0 ? POLL_MS : timeoutMs)
        if (found.length > 0 || (timeoutMs >= 0 && performance.now() - startMs >= timeoutMs)) return found
      }
    }
    try {
      subscribe(consumer, line)
      const most = line.whole('max-messages', -1)
      while ((most < 0 || count < most) && !stopping) {
        if (records.length === 0) {
          try {
            records = await receive()
            if (records.length === 0) throw new Error('org.apache.kafka.common.errors.TimeoutException')
          } catch (error) {
            // Kafka's tool ends with 0 here, too.
            if (!(error instanceof WakeupError))
              err(`Error processing message, terminating consumer process: ${exceptionText(error)}`)
            break
          }
        }
        const record = records.shift()!
        count++
        try {
          const shown = format(record)
          if (shown !== undefined) await out(shown)
        } catch (error) {
          if (!line.has('skip-message-on-error')) throw error
          err(`Error processing message, skipping this message: ${exceptionText(error)}`)
        }
        if (isClosed) {
          err('Unable to write to standard out, closing consumer.')
          break
        }
      }
    } finally {
      giveBack(consumer, records)
      await consumer.close()
      err(`Processed a total of ${count} messages`)
      if (line.has('enable-systest-events')) process.stdout.write('shutdown_complete\n')
    }
    return process.exitCode as number | undefined
  },
})
