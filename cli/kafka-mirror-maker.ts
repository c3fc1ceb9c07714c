import { setTimeout as pause } from 'node:timers/promises'
import { Consumer } from '../client/consumer'
import { Producer } from '../client/producer'
import { MirrorStream } from './mirror-maker/stream'
import { UsageError } from './tool/command-line'
import { onSignal } from './tool/signals'
import { Progress } from './tool/progress'
import { propertiesIn, runTool } from './tool/run'
import { topicPattern } from './topics/options'
import type { CommandLine } from './tool/command-line'
import type { Mirror } from './mirror-maker/stream'

const PURPOSE = 'This tool helps to continuously copy data between two Kafka clusters.'
const FAILED = 255
const LONGEST_MS = '2147483647'

const say = (text: string): void => void process.stderr.write(`${text}\n`)

const DEFAULT_ASSIGNOR =
  "WARNING: The default partition assignment strategy of the mirror maker will change from 'range' to 'roundrobin' in an " +
  'upcoming release (so that better load balancing can be achieved). If you prefer to make this switch in advance of that ' +
  'release ' +
  'add the following to the corresponding config: ' +
  "'partition.assignment.strategy=org.apache.kafka.clients.consumer.RoundRobinAssignor'"

/** Classes of the user's own cannot be loaded here; to run without them would be something else than was asked for. */
function refuseClasses(line: CommandLine): void {
  for (const option of ['message.handler', 'message.handler.args', 'consumer.rebalance.listener', 'rebalance.listener.args']) {
    if (line.has(option)) throw new UsageError(`Option "[${option}]" names a class of Java, which cannot be loaded here.`, false)
  }
}

/** Nothing is lost, unless the user says otherwise. */
function producerConfig(file: Readonly<Record<string, string>>): Record<string, string> {
  const { 'producer.type': _, ...config } = file
  return {
    'delivery.timeout.ms': LONGEST_MS,
    'max.block.ms': LONGEST_MS,
    acks: 'all',
    'max.in.flight.requests.per.connection': '1',
    ...config,
  }
}

void runTool({
  purpose: PURPOSE,
  options: [
    {
      name: 'consumer.config',
      argument: 'String: config file',
      description: 'The configuration of the consumer, of the cluster to copy from.',
    },
    {
      name: 'producer.config',
      argument: 'String: config file',
      description: 'The configuration of the producer, of the cluster to copy to.',
    },
    { name: 'new.consumer', description: 'DEPRECATED: without effect.' },
    { name: 'num.streams', argument: 'Integer: Number of threads', description: 'How many consumers. (default: 1)' },
    { name: 'whitelist', argument: 'String: Java regex (String)', description: 'DEPRECATED, use --include instead.' },
    { name: 'include', argument: 'String: Java regex (String)', description: 'The topics to copy, as a regular expression.' },
    {
      name: 'offset.commit.interval.ms',
      argument: 'Integer: offset commit interval in millisecond',
      description: 'How often offsets are committed, ms. (default: 60000)',
    },
    {
      name: 'consumer.rebalance.listener',
      argument: 'String: A custom rebalance listener of type ConsumerRebalanceListener',
      description: 'Refused: a class of Java.',
    },
    {
      name: 'rebalance.listener.args',
      argument: 'String: Arguments passed to custom rebalance listener constructor as a string.',
      description: 'Refused, as above.',
    },
    {
      name: 'message.handler',
      argument: 'String: A custom message handler of type MirrorMakerMessageHandler',
      description: 'Refused: a class of Java.',
    },
    {
      name: 'message.handler.args',
      argument: 'String: Arguments passed to message handler constructor.',
      description: 'Refused, as above.',
    },
    {
      name: 'abort.on.send.failure',
      argument: 'String: Stop the entire mirror maker when a send failure occurs',
      description: 'Ends when a record cannot be sent; else it is left out. (default: true)',
    },
  ],
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    line.requireAll(['consumer.config', 'producer.config'])
    const consumerFile = propertiesIn(line.required('consumer.config'))
    if (!line.has('include') && !line.has('whitelist')) throw new UsageError('include list must be specified', false)
    refuseClasses(line)
    if (consumerFile['partition.assignment.strategy'] === undefined) say(DEFAULT_ASSIGNOR)
    const abort = line.text('abort.on.send.failure', 'true').toLowerCase()
    if (abort !== 'true' && abort !== 'false') throw new UsageError(`For input string: "${abort}"`, false)
    const producerFile = propertiesIn(line.required('producer.config'))
    const progress = new Progress('records copied')
    const mirror: Mirror = {
      producer: new Producer(producerConfig(producerFile)),
      include: topicPattern(line.value('include') ?? line.required('whitelist')),
      commitIntervalMs: line.whole('offset.commit.interval.ms', 60_000),
      abortOnSendFailure: abort === 'true',
      sync: producerFile['producer.type'] === 'sync',
      state: 'running',
      say(text) {
        progress.clear()
        say(text)
      },
      copied: () => progress.add(),
      nowMs: () => performance.now(),
      pause,
    }
    const group = consumerFile['group.id'] ?? 'null'
    const streams = Array.from({ length: line.whole('num.streams', 1) }, (_, index) => {
      const config = { 'enable.auto.commit': 'false', ...consumerFile, 'client.id': `${group}-${index}` }
      return new MirrorStream(mirror, new Consumer(config))
    })
    onSignal(() => {
      if (mirror.state === 'running') mirror.state = 'stopping'
      for (const stream of streams) stream.wakeup()
    })
    // The first that ends takes the others along.
    const end = (): void => {
      for (const stream of streams) stream.wakeup()
    }
    await Promise.all(streams.map((stream) => stream.run().finally(end)))
    await mirror.producer.close()
    progress.clear()
    if (mirror.state !== 'failed') return process.exitCode as number | undefined
    say('Mirror maker thread exited abnormally, stopping the whole mirror maker.')
    return FAILED
  },
})
