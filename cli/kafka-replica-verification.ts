import { ReplicaReader } from '../client/admin/replica-reader'
import { compareReplicas } from './replica-verification/compare'
import { UsageError } from './tool/command-line'
import { runTool } from './tool/run'
import { topicFilter } from './topics/options'
import type { CommandLine } from './tool/command-line'
import type { ReplicaAnswer, ReplicaWish } from '../client/admin/replica-reader'

const PURPOSE = 'Validate that all replicas for a set of topics have the same data.'

interface Verified extends ReplicaWish {
  name: string
  replicas: number[]
}

/** `2024-01-31 12:00:00,000`, local time. */
function timestamp(): string {
  const now = new Date()
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('-')
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':')
  return `${date} ${time},${String(now.getMilliseconds()).padStart(3, '0')}`
}

const say = (text: string): void => void process.stdout.write(`${timestamp()}: ${text}\n`)

function filterOf(line: CommandLine): (topic: string) => boolean {
  const expression = line.has('topics-include') ? line.value('topics-include')! : line.text('topic-white-list', '.*')
  try {
    return topicFilter(expression)
  } catch {
    throw new Error(`${expression} is an invalid regex`)
  }
}

async function partitionsToVerify(reader: ReplicaReader, isWanted: (topic: string) => boolean, time: number): Promise<Verified[]> {
  const names = (await reader.listTopics()).map(({ name }) => name).filter(isWanted)
  const topics = await reader.describeTopics(names)
  const partitions = topics.flatMap(({ name: topic, topicId, partitions: list }) =>
    list.map(({ partition, replicas }) => ({ name: `${topic}-${partition}`, topic, topicId, partition, replicas, offset: 0 })),
  )
  const offsets = await reader.listOffsets(partitions.map(({ topic, partition }) => ({ topic, partition, timestamp: time })))
  for (const each of partitions) each.offset = offsets.get(each.name)?.offset ?? 0
  return partitions
}

async function verify(reader: ReplicaReader, partitions: readonly Verified[], line: CommandLine): Promise<number> {
  const options = { maxWaitMs: line.whole('max-wait-ms', 1000), maxBytes: line.whole('fetch-size', 1024 * 1024) }
  const reportIntervalMs = line.whole('report-interval-ms', 30_000)
  const brokers = [...new Set(partitions.flatMap(({ replicas }) => replicas))]
  let reportedMs = Date.now()
  for (;;) {
    const answers = new Map<number, Map<string, ReplicaAnswer>>()
    await Promise.all(
      brokers.map(async (id) => {
        const wanted = partitions.filter(({ replicas }) => replicas.includes(id))
        try {
          answers.set(id, await reader.readReplicas(id, wanted, options))
        } catch {
          // There is nothing to compare, this time.
          answers.set(id, new Map())
          await new Promise((resolve) => setTimeout(resolve, options.maxWaitMs))
        }
      }),
    )
    let worst = { lag: -1, name: '', offset: -1 }
    for (const each of partitions) {
      const replicas = each.replicas.map((brokerId) => ({
        brokerId,
        ...(answers.get(brokerId)!.get(each.name) ?? { highWatermark: -1, records: Buffer.alloc(0) }),
      }))
      const { nextOffset, complaints, isFatal } = compareReplicas(each.name, each.offset, replicas)
      for (const complaint of complaints) say(complaint)
      if (isFatal) return 1
      each.offset = nextOffset
      const lag = Math.max(...replicas.map(({ highWatermark }) => highWatermark)) - nextOffset
      if (lag > worst.lag) worst = { lag, name: each.name, offset: nextOffset }
    }
    if (Date.now() - reportedMs <= reportIntervalMs) continue
    reportedMs = Date.now()
    const { lag, name, offset } = worst
    say(`max lag is ${lag} for partition ${name} at offset ${offset} among ${partitions.length} partitions`)
  }
}

void runTool({
  purpose: PURPOSE,
  options: [
    {
      name: 'broker-list',
      argument: 'String: hostname:port,...,hostname:port',
      description: 'REQUIRED. The servers to connect to, host:port and comma.',
    },
    { name: 'fetch-size', argument: 'Integer: bytes', description: 'How much is asked for at a time. (default: 1048576)' },
    { name: 'max-wait-ms', argument: 'Integer: ms', description: 'How long a broker may wait for records. (default: 1000)' },
    {
      name: 'topic-white-list',
      argument: 'String: Java regex (String)',
      description: 'DEPRECATED, use --topics-include instead. (default: .*)',
    },
    { name: 'topics-include', argument: 'String: Java regex (String)', description: 'The topics to verify. (default: .*)' },
    {
      name: 'time',
      argument: 'Long: timestamp/-1(latest)/-2(earliest)',
      description: 'From where on: a time, the end or the beginning. (default: -1)',
    },
    { name: 'report-interval-ms', argument: 'Long: ms', description: 'How often something is said. (default: 30000)' },
  ],
  failure: (message) => ({ err: message }),
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    line.requireAll(['broker-list'])
    line.refuseTogether('topics-include', ['topic-white-list'])
    const servers = line.required('broker-list')
    if (servers.split(',').some((address) => !/:\d+$/.test(address.trim())))
      throw new UsageError('Please provide valid host:port like host1:9091,host2:9092\n')
    const reader = new ReplicaReader({ 'bootstrap.servers': servers })
    try {
      const isWanted = filterOf(line)
      const partitions = await partitionsToVerify(reader, isWanted, line.whole('time', -1))
      if (partitions.length === 0) return 1
      say('verification process is started')
      return await verify(reader, partitions, line)
    } finally {
      await reader.close()
    }
  },
})
