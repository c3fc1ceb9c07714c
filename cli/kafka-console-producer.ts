import { lineFormat, linesOf, parseLine } from './console/line-reader'
import { Producer } from '../client/producer'
import { checkAddresses } from './tool/addresses'
import { UsageError } from './tool/command-line'
import { exceptionText } from './tool/exceptions'
import { pairsOf, propertiesIn, propertiesOf, runTool } from './tool/run'
import type { CommandLine } from './tool/command-line'

/** Records that may be on their way before the next line is read. */
const MOST_UNANSWERED = 10_000

function producerConfig(line: CommandLine): Record<string, string | number> {
  const given = { ...propertiesOf(line, 'producer.config'), ...pairsOf(line.values('producer-property')) }
  const codec = line.has('compression-codec') ? line.value('compression-codec') || 'gzip' : undefined
  // An option that was typed beats the property; a property beats the tool's default.
  const merged: Record<string, string | number> = { ...given }
  const set = (key: string, option: string, fallback: string | number): void => {
    if (line.has(option)) merged[key] = typeof fallback === 'number' ? line.whole(option, fallback) : line.required(option)
    else merged[key] ??= fallback
  }
  merged['bootstrap.servers'] = line.value('bootstrap-server') ?? line.value('broker-list') ?? ''
  if (codec !== undefined) merged['compression.type'] = codec
  set('acks', 'request-required-acks', '-1')
  set('request.timeout.ms', 'request-timeout-ms', 1500)
  set('retries', 'message-send-max-retries', 3)
  set('retry.backoff.ms', 'retry-backoff-ms', 100)
  set('linger.ms', 'timeout', 1000)
  set('max.block.ms', 'max-block-ms', 60_000)
  set('buffer.memory', 'max-memory-bytes', 33_554_432)
  set('metadata.max.age.ms', 'metadata-expiry-ms', 300_000)
  set('batch.size', line.has('max-partition-memory-bytes') ? 'max-partition-memory-bytes' : 'batch-size', 16_384)
  set('client.id', 'client-id', 'console-producer')
  return merged
}

const number = (name: string, what: string, description: string): { name: string; argument: string; description: string } => ({
  name,
  argument: what,
  description,
})

void runTool({
  purpose: 'This tool helps to read data from standard input and publish it to Kafka.',
  usageForUnknown: true,
  options: [
    { name: 'topic', argument: 'String: topic', description: 'REQUIRED: The topic to write to.' },
    {
      name: 'bootstrap-server',
      argument: 'String: server to connect to',
      description: 'REQUIRED: The servers to connect to, host:port and comma.',
    },
    { name: 'broker-list', argument: 'String: broker-list', description: 'DEPRECATED, use --bootstrap-server instead.' },
    { name: 'sync', description: "Waits for each record's answer before the next is sent." },
    {
      name: 'compression-codec',
      argument: 'String: compression-codec',
      optionalArgument: true,
      description: 'none, gzip, snappy, lz4 or zstd; without a value gzip.',
    },
    number('batch-size', 'Integer: size', 'The size of a batch in bytes. Default: 16384.'),
    number('message-send-max-retries', 'Integer', 'How often a record is sent again. Default: 3.'),
    number('retry-backoff-ms', 'Long', 'The pause before that, ms. Default: 100.'),
    number('timeout', 'Long: timeout_ms', 'How long a record may wait for others to fill a batch, ms. Default: 1000.'),
    { name: 'request-required-acks', argument: 'String: request required acks', description: 'all, -1, 0 or 1. Default: -1.' },
    number('request-timeout-ms', 'Integer: request timeout ms', 'How long a request may take, ms. Default: 1500.'),
    number('metadata-expiry-ms', 'Long: metadata expiration interval', 'How old metadata may get, ms. Default: 300000.'),
    number('max-block-ms', 'Long: max block on send', 'How long sending may wait for metadata or memory, ms. Default: 60000.'),
    number('max-memory-bytes', 'Long: total memory in bytes', 'Memory for records that wait. Default: 33554432.'),
    number('max-partition-memory-bytes', 'Integer: memory in bytes per partition', 'The same as --batch-size, and stronger.'),
    number('socket-buffer-size', 'Integer: size', 'Accepted for old scripts.'),
    { name: 'line-reader', argument: 'String: reader_class', description: "Kafka's LineMessageReader only." },
    {
      name: 'property',
      argument: 'String: prop',
      repeat: true,
      description:
        'How lines are read, key=value: parse.key=false, parse.headers=false, ignore.error=false, key.separator=\\t, ' +
        'headers.delimiter=\\t, headers.separator=,, headers.key.separator=:, null.marker=',
    },
    { name: 'reader-config', argument: 'String: config file', description: 'A file with such properties.' },
    {
      name: 'producer-property',
      argument: 'String: producer_prop',
      repeat: true,
      description: 'A configuration of the producer, key=value.',
    },
    { name: 'producer.config', argument: 'String: config file', description: 'A file with configurations of the producer.' },
  ],
  async run(line) {
    if (!line.has('bootstrap-server') && !line.has('broker-list'))
      throw new UsageError('Missing required option(s) [bootstrap-server]')
    const topic = line.required('topic')
    checkAddresses(line.value('bootstrap-server') ?? line.required('broker-list'))
    const reader = line.text('line-reader', 'kafka.tools.ConsoleProducer$LineMessageReader')
    if (!/LineMessageReader$/.test(reader))
      throw new Error(`Could not find the line reader ${reader}: LineMessageReader is the one there is`)
    const readerFile = line.value('reader-config')
    const format = lineFormat({
      ...(readerFile === undefined ? {} : propertiesIn(readerFile)),
      ...pairsOf(line.values('property')),
    })
    const producer = new Producer(producerConfig(line))
    let unanswered = 0
    let drained: (() => void) | undefined
    const send = (text: string, number: number): Promise<unknown> => {
      const record = parseLine(topic, text, number, format)
      unanswered++
      return producer.send(record).finally(() => {
        unanswered--
        drained?.()
      })
    }
    const complain = (error: unknown, record: string): void => {
      const size = Buffer.byteLength(record)
      process.stderr.write(`Error when sending message to topic ${topic}, ${size} bytes, with error: ${exceptionText(error)}\n`)
    }
    const prompt = (): void => {
      if (process.stdin.isTTY) process.stdout.write('>')
    }
    try {
      prompt()
      let number = 0
      for await (const text of linesOf(process.stdin.setEncoding('utf8'))) {
        const sent = send(text, ++number)
        // As in Kafka's tool, a record that is lost ends only --sync.
        if (line.has('sync')) await sent
        else sent.catch((error: unknown) => complain(error, text))
        while (unanswered >= MOST_UNANSWERED) {
          await new Promise<void>((resolve) => {
            drained = resolve
          })
        }
        prompt()
      }
    } finally {
      await producer.close()
    }
  },
})
