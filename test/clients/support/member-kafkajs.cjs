// A member of a group, of kafkajs. See group-job.ts for what it is told and what it says.
const { Kafka, logLevel } = require('kafkajs')

const job = JSON.parse(process.argv[2])
const say = (line) => process.stdout.write(`${line}\n`)

async function main() {
  const kafka = new Kafka({
    clientId: job.member,
    brokers: job.bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3000,
    requestTimeout: 20_000,
    retry: { retries: 300, initialRetryTime: 50, maxRetryTime: 500 },
  })
  const consumer = kafka.consumer({
    groupId: job.group,
    sessionTimeout: job.sessionTimeoutMs,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 200,
    metadataMaxAge: 5000,
    allowAutoTopicCreation: false,
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
    const partitions = Object.entries(memberAssignment).flatMap(([topic, all]) => all.map((partition) => `${topic}/${partition}`))
    say(`assigned ${Date.now()} ${partitions.join(',') || '-'}`)
  })
  consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload: { topics } }) => {
    for (const { topic, partitions } of topics) for (const { partition, offset } of partitions) say(`c ${Date.now()} ${topic} ${partition} ${offset}`)
  })
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    process.stderr.write(`crash, ${restart ? 'goes on' : 'ends'}: ${error.stack}\n`)
    if (!restart) process.exit(1)
  })
  process.stdin.on('end', () => consumer.disconnect().then(() => process.exit(0))).resume()
  await consumer.connect()
  await consumer.subscribe({ topics: job.topics, fromBeginning: true })
  await consumer.run({
    autoCommitThreshold: 1,
    eachBatch: async ({ batch: { topic, partition, messages }, resolveOffset }) => {
      for (const { offset } of messages) {
        say(`r ${topic} ${partition} ${offset}`)
        resolveOffset(offset)
      }
    },
  })
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exit(1)
})
