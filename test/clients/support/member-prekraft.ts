/** A member of a group, of our own client. See group-job.ts for what it is told and what it says. */
import { Consumer } from '../../../index'
import type { GroupJob } from './group-job'

const job = JSON.parse(process.argv[2]!) as GroupJob

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<void> {
  const consumer = new Consumer({
    'bootstrap.servers': job.bootstrap, 'group.id': job.group, 'client.id': job.member, 'enable.auto.commit': false, 'auto.offset.reset': 'earliest',
    'session.timeout.ms': job.sessionTimeoutMs, 'heartbeat.interval.ms': 500, 'max.poll.interval.ms': 20_000, 'request.timeout.ms': 5000,
    'metadata.max.age.ms': 5000, 'fetch.max.wait.ms': 200, 'partition.assignment.strategy': job.assignor ?? 'range',
    ...(job.instanceId === undefined ? {} : { 'group.instance.id': job.instanceId }),
  })
  let going = true
  process.stdin.on('end', () => (going = false)).resume()
  consumer.subscribe(job.topics, {
    onPartitionsAssigned(partitions) {
      say(`assigned ${Date.now()} ${partitions.map(({ topic, partition }) => `${topic}/${partition}`).join(',') || '-'}`)
    },
  })
  while (going) {
    const records = await consumer.poll(200)
    if (records.length === 0) continue
    const ends = new Map<string, { topic: string; partition: number; offset: number }>()
    for (const { topic, partition, offset } of records) {
      say(`r ${topic} ${partition} ${offset}`)
      ends.set(`${topic}/${partition}`, { topic, partition, offset: offset + 1 })
    }
    try {
      await consumer.commitSync([...ends.values()])
      for (const { topic, partition, offset } of ends.values()) say(`c ${Date.now()} ${topic} ${partition} ${offset}`)
    } catch (error) {
      process.stderr.write(`commit: ${String(error)}\n`)
    }
  }
  await consumer.close()
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${(error as Error).stack}\n`)
    process.exit(1)
  },
)
