// A producer of @platformatic/kafka. See job.ts for what it is told and what it says.
import { createRequire } from 'node:module'

// Node 20 has not got it yet.
Promise.withResolvers ??= function withResolvers() {
  let resolve, reject
  const promise = new Promise((one, other) => {
    resolve = one
    reject = other
  })
  return { promise, resolve, reject }
}

const { Producer } = await import('@platformatic/kafka')
const { runProducer } = createRequire(import.meta.url)('./worker.cjs')

await runProducer(async ({ bootstrap, topic, codec }) => {
  const producer = new Producer({
    clientId: 'platformatic',
    bootstrapBrokers: bootstrap.split(','),
    idempotent: true,
    retries: 200,
    retryDelay: 100,
    timeout: 20_000,
    connectTimeout: 3000,
    autocreateTopics: false,
  })
  return {
    async send(records) {
      const messages = records.map(({ key, value, headers }) => ({
        topic,
        partition: 0,
        key: key === null ? undefined : Buffer.from(key),
        value,
        headers: headers === undefined ? undefined : new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
      }))
      const { offsets } = await producer.send({ messages, acks: -1, ...(codec === 'none' ? {} : { compression: codec }) })
      return Number(offsets[0].offset)
    },
    close: () => producer.close(true),
  }
})
