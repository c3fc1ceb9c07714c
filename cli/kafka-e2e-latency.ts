import { Admin } from '../client/admin'
import { Consumer } from '../client/consumer'
import { Producer } from '../client/producer'
import { summaryOf } from './performance/latency'
import { ignoreBrokenPipe, propertiesIn } from './tool/run'
import { javaDouble } from './tool/java-number'

const POLL_MS = 60_000
const USAGE =
  'USAGE: java org.apache.kafka.tools.EndToEndLatency broker_list topic num_messages producer_acks message_size_bytes ' +
  '[optional] properties_file'

async function validate(consumer: Consumer, sent: Buffer): Promise<void> {
  const records = await consumer.poll(POLL_MS)
  if (records.length === 0) throw new Error(`poll() timed out before finding a result (timeout:[${POLL_MS}])`)
  const [first] = records
  if (first!.value?.equals(sent) !== true)
    throw new Error(
      `The message read [${first!.value?.toString() ?? 'null'}] did not match the message sent [${sent.toString()}]`,
    )
  if (records.length !== 1) throw new Error(`Only one result was expected during this test. We found [${records.length}]`)
}

async function run(args: readonly string[]): Promise<void> {
  const [servers, topic, count, acks, size, file] = args
  if (args.length !== 5 && args.length !== 6) throw new Error(USAGE)
  for (const number of [count!, size!]) if (!/^[-+]?\d+$/.test(number)) throw new Error(`For input string: "${number}"`)
  if (acks !== '1' && acks !== 'all') throw new Error('Latency testing requires synchronous acknowledgement. Please use 1 or all')
  const config = { ...(file === undefined || file.trim() === '' ? {} : propertiesIn(file)), 'bootstrap.servers': servers! }
  const admin = new Admin(config)
  const consumer = new Consumer({ ...config, 'auto.offset.reset': 'latest', 'fetch.max.wait.ms': 0 })
  const producer = new Producer({ ...config, 'linger.ms': 0, 'max.block.ms': 2_147_483_647, acks })
  try {
    if (!(await admin.listTopics()).some(({ name }) => name === topic)) {
      process.stdout.write(`Topic "${topic!}" does not exist. Will create topic with 1 partition(s) and replication factor = 1\n`)
      await admin.createTopics([{ name: topic!, partitions: 1, replicationFactor: 1 }])
    }
    const { partitions } = await consumer.partitionsFor(topic!)
    consumer.assign(partitions.map(({ partition }) => ({ topic: topic!, partition })))
    consumer.seekToEnd()
    for (const each of consumer.assignment()) await consumer.position(each)
    const latencies: number[] = []
    let totalMs = 0
    for (let i = 0; i < Number(count); i++) {
      const message = Buffer.alloc(Number(size), 65 + Math.floor(Math.random() * 26))
      const begin = performance.now()
      await producer.send({ topic: topic!, value: message })
      await validate(consumer, message)
      const elapsedMs = performance.now() - begin
      if (i % 1000 === 0) process.stdout.write(`${i}\t${javaDouble(elapsedMs)}\n`)
      totalMs += elapsedMs
      latencies.push(Math.trunc(elapsedMs))
    }
    process.stdout.write(summaryOf(totalMs / Number(count), latencies))
  } finally {
    await Promise.all([consumer.close(), producer.close(), admin.close()])
  }
}

ignoreBrokenPipe()
run(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
