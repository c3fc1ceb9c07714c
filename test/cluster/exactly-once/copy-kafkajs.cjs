// A copier of kafkajs. See job.ts for what it is told and what it says.
const { Kafka, Partitioners, logLevel } = require('kafkajs')

const job = JSON.parse(process.argv[2])
const say = (line) => process.stdout.write(`${line}\n`)

function give(error) {
  say(`failed ${error.name}: ${error.message}`.replace(/\s+/g, ' '))
  process.exit(3)
}

async function main() {
  const kafka = new Kafka({
    clientId: job.client,
    // It asks the first one, and gives up when that stands still; so does it when a coordinator does. Whoever comes next asks another.
    brokers: job.bootstrap.split(',').sort(() => Math.random() - 0.5),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3000,
    requestTimeout: 3000,
    retry: { retries: 8, initialRetryTime: 50, maxRetryTime: 500 },
  })
  const producer = kafka.producer({
    idempotent: true, maxInFlightRequests: 1, transactionalId: job.transactionalId, transactionTimeout: job.transactionTimeoutMs,
    allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner,
  })
  // Takes over: what another one with this id has left open is over when this resolves, so that offsets are final.
  await producer.connect()
  const consumer = kafka.consumer({
    groupId: job.group, sessionTimeout: job.sessionTimeoutMs, rebalanceTimeout: 10_000, heartbeatInterval: 500, maxWaitTimeInMs: 100,
    metadataMaxAge: 5000, readUncommitted: false, allowAutoTopicCreation: false, maxBytesPerPartition: 8192,
  })
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => give(error))
  process.stdin.on('end', () => consumer.disconnect().then(() => producer.disconnect()).then(() => process.exit(0))).resume()
  await consumer.connect()
  await consumer.subscribe({ topics: [job.input], fromBeginning: true })
  let n = 0
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch: { topic, partition, messages }, resolveOffset, isStale, isRunning }) => {
      if (isStale() || !isRunning() || messages.length === 0) return
      const number = n++
      try {
        const transaction = await producer.transaction()
        say(`begin ${number}`)
        const copies = messages.map(({ key, value }) => ({ key, value: `${value}*`, partition }))
        await transaction.send({ topic: job.output, acks: -1, messages: copies })
        say(`sent ${number}`)
        await new Promise((resolve) => setTimeout(resolve, job.holdMs))
        const last = messages.at(-1).offset
        await transaction.sendOffsets({
          consumerGroupId: job.group, topics: [{ topic, partitions: [{ partition, offset: String(BigInt(last) + 1n) }] }],
        })
        await transaction.commit()
        say(`commit ${number}`)
        resolveOffset(last)
      } catch (error) {
        // What became of it is found out by whoever comes next.
        give(error)
      }
    },
  })
}

main().catch(give)
