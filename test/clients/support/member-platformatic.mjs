// A member of a group, of @platformatic/kafka. See group-job.ts for what it is told and what it says.

// Node 20 has not got it yet.
Promise.withResolvers ??= function withResolvers() {
  let resolve, reject
  const promise = new Promise((one, other) => {
    resolve = one
    reject = other
  })
  return { promise, resolve, reject }
}

const { Consumer } = await import('@platformatic/kafka')

const COMMIT_EVERY_MS = 150
const job = JSON.parse(process.argv[2])
const say = (line) => process.stdout.write(`${line}\n`)
const consumer = new Consumer({
  clientId: job.member,
  groupId: job.group,
  ...(job.instanceId === undefined ? {} : { groupInstanceId: job.instanceId }),
  bootstrapBrokers: job.bootstrap.split(','),
  autocommit: false,
  minBytes: 1,
  maxWaitTime: 200,
  sessionTimeout: job.sessionTimeoutMs,
  rebalanceTimeout: 10_000,
  heartbeatInterval: 500,
  retries: 300,
  retryDelay: 100,
  timeout: 20_000,
  connectTimeout: 3000,
  metadataMaxAge: 5000,
})
consumer.on('consumer:group:join', ({ assignments }) => {
  const partitions = (assignments ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}/${partition}`))
  say(`assigned ${Date.now()} ${partitions.join(',') || '-'}`)
})

/** The last record of each partition that is to be committed. */
let last = new Map()
let stopping = false

async function commit() {
  const all = [...last.values()]
  last = new Map()
  await Promise.all(all.map(async (message) => {
    try {
      await message.commit()
      say(`c ${Date.now()} ${message.topic} ${message.partition} ${message.offset + 1n}`)
    } catch (error) {
      process.stderr.write(`not committed: ${error.message}\n`)
    }
  }))
}

process.stdin.on('end', async () => {
  stopping = true
  await commit()
  await consumer.close(true)
  process.exit(0)
}).resume()
const committing = setInterval(() => void commit(), COMMIT_EVERY_MS)

// A stream ends for good when its group is rebalanced under a commit; the next one goes on where the group is.
while (!stopping) {
  try {
    const stream = await consumer.consume({ topics: job.topics, mode: 'committed', fallbackMode: 'earliest' })
    for await (const message of stream) {
      say(`r ${message.topic} ${message.partition} ${message.offset}`)
      last.set(`${message.topic}/${message.partition}`, message)
    }
  } catch (error) {
    if (stopping) break
    process.stderr.write(`stream: ${error.stack}\n`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
clearInterval(committing)
