/** A copier of our own client. See job.ts for what it is told and what it says. */
import { Consumer, Producer } from '../../../index'
import type { CopyJob } from './job'

const job = JSON.parse(process.argv[2]!) as CopyJob

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function words(error: unknown): string {
  const { name, message, cause } = error as Error
  return `${name}: ${message}${cause === undefined ? '' : ` (${String(cause)})`}`.replace(/\s+/g, ' ')
}

async function main(): Promise<void> {
  const common = { 'bootstrap.servers': job.bootstrap, 'client.id': job.client, 'request.timeout.ms': 5000, 'metadata.max.age.ms': 5000 }
  const producer = new Producer({ ...common, 'transactional.id': job.transactionalId, 'transaction.timeout.ms': job.transactionTimeoutMs, 'linger.ms': 1 })
  const consumer = new Consumer({
    ...common, 'group.id': job.group, 'enable.auto.commit': false, 'auto.offset.reset': 'earliest', 'isolation.level': 'read_committed',
    'session.timeout.ms': job.sessionTimeoutMs, 'heartbeat.interval.ms': 500, 'max.poll.interval.ms': 30_000, 'max.poll.records': 40, 'fetch.max.wait.ms': 100,
  })
  let going = true
  process.stdin.on('end', () => (going = false)).resume()
  await producer.initTransactions()
  consumer.subscribe([job.input])
  for (let n = 0; going; ) {
    const records = await consumer.poll(100)
    if (records.length === 0) continue
    producer.beginTransaction()
    say(`begin ${n}`)
    try {
      const sent = records.map(({ partition, key, value }) => producer.send({ topic: job.output, partition, key, value: `${value!.toString()}*` }))
      await Promise.all(sent)
      say(`sent ${n}`)
      await new Promise((resolve) => setTimeout(resolve, job.holdMs))
      const next = new Map(records.map(({ topic, partition, offset }) => [partition, { topic, partition, offset: offset + 1 }]))
      await producer.sendOffsetsToTransaction([...next.values()], consumer.groupMetadata())
      await producer.commitTransaction()
      say(`commit ${n++}`)
    } catch (error) {
      process.stderr.write(`${words(error)}\n`)
      await producer.abortTransaction()
      say(`abort ${n}`)
      await consumer.close()
      throw error
    }
  }
  await consumer.close()
  await producer.close()
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    say(`failed ${words(error)}`)
    process.exit(3)
  },
)
