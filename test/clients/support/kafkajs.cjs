// A producer of kafkajs. See job.ts for what it is told and what it says.
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
const { runProducer } = require('./worker.cjs')

const types = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD }

/** kafkajs leaves all codecs but gzip to other packages. */
async function addCodec(name) {
  if (name === 'snappy') {
    const { compress } = require('snappyjs')
    CompressionCodecs[types.snappy] = () => ({ compress: async ({ buffer }) => Buffer.from(compress(buffer)), decompress: async () => Buffer.alloc(0) })
  } else if (name === 'lz4') {
    const { compressFrame } = require('lz4-napi')
    CompressionCodecs[types.lz4] = () => ({ compress: ({ buffer }) => compressFrame(buffer), decompress: async () => Buffer.alloc(0) })
  } else if (name === 'zstd') {
    const { compress } = await import('@cloudpss/zstd')
    CompressionCodecs[types.zstd] = () => ({ compress: async ({ buffer }) => Buffer.from(await compress(buffer)), decompress: async () => Buffer.alloc(0) })
  }
}

runProducer(async ({ bootstrap, topic, codec }) => {
  await addCodec(codec)
  const kafka = new Kafka({
    clientId: 'kafkajs',
    brokers: bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3000,
    requestTimeout: 20_000,
    retry: { retries: 100, initialRetryTime: 50, maxRetryTime: 500 },
  })
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false })
  await producer.connect()
  return {
    /** Offsets are told of the first record alone. */
    async send(records) {
      const messages = records.map(({ key, value, headers }) => ({ key, value, headers, partition: 0 }))
      const [{ baseOffset }] = await producer.send({ topic, acks: -1, compression: types[codec], messages })
      return Number(baseOffset)
    },
    close: () => producer.disconnect(),
  }
})
