import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { decodeTransactionKey, decodeTransactionValue } from '../../../../protocol/files/internal-records'
import { isControlAt } from '../../../../protocol/records/batch'
import { BatchBuilder, decodeRecords, iterateBatches } from '../../../../protocol/records/records'
import { RunningCluster } from '../support/running-broker'
import type { KafkaConnection } from '../../../../network/kafka-connection'
import type { Broker } from '../../../../broker/broker'

/** Through the brokers' front door, with brokers that lead what others coordinate. */
const PROPERTIES = {
  'transaction.state.log.replication.factor': '2',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200',
}

interface Producer {
  transactionalId: string
  producerId: number
  producerEpoch: number
}

let cluster: RunningCluster
const connections = new Map<number, KafkaConnection>()

beforeAll(async () => {
  cluster = await RunningCluster.start(2, PROPERTIES)
  for (const broker of cluster.brokers) connections.set(broker.brokerId, await cluster.connect(broker.portOf('PLAINTEXT')))
  await cluster.createTopic('t', { partitions: 4, replicas: 2 })
}, 30_000)

afterAll(() => cluster.close())

async function ask<Response = { errorCode: number }>(broker: number, apiKey: number, body: object, version?: number): Promise<Response> {
  return connections.get(broker)!.send<object, never>(apiKey, body, version === undefined ? {} : { version })
}

/** Asks until it is another error than one that passes. */
async function eventually<T extends { errorCode: number }>(work: () => Promise<T>): Promise<T> {
  const passing: number[] = [
    ErrorCode.COORDINATOR_NOT_AVAILABLE, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NOT_COORDINATOR,
    ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.NOT_ENOUGH_REPLICAS,
  ]
  for (;;) {
    const answer = await work()
    if (!passing.includes(answer.errorCode)) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function coordinatorOf(transactionalId: string): Promise<number> {
  const { nodeId } = await eventually(() =>
    ask<{ errorCode: number; nodeId: number }>(0, ApiKey.findCoordinator, { key: transactionalId, keyType: 1 }, 3),
  )
  return nodeId
}

async function init(transactionalId: string, timeoutMs = 60_000): Promise<Producer> {
  const broker = await coordinatorOf(transactionalId)
  const { errorCode, producerId, producerEpoch } = await eventually(() =>
    ask<Producer & { errorCode: number }>(broker, ApiKey.initProducerId, { transactionalId, transactionTimeoutMs: timeoutMs }),
  )
  expect(errorCode).toBe(ErrorCode.NONE)
  return { transactionalId, producerId, producerEpoch }
}

async function addPartitions(producer: Producer, partitions: number[], topic = 't'): Promise<number[]> {
  const broker = await coordinatorOf(producer.transactionalId)
  const body = {
    v3AndBelowTransactionalId: producer.transactionalId, v3AndBelowProducerId: producer.producerId,
    v3AndBelowProducerEpoch: producer.producerEpoch, v3AndBelowTopics: [{ name: topic, partitions }],
  }
  for (;;) {
    const { resultsByTopicV3AndBelow } = await ask<{
      resultsByTopicV3AndBelow: { resultsByPartition: { partitionErrorCode: number }[] }[]
    }>(broker, ApiKey.addPartitionsToTxn, body, 3)
    const codes = resultsByTopicV3AndBelow[0]!.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode)
    if (!codes.includes(ErrorCode.CONCURRENT_TRANSACTIONS)) return codes
  }
}

async function end(producer: Producer, committed: boolean): Promise<number> {
  const broker = await coordinatorOf(producer.transactionalId)
  return (await eventually(() => ask(broker, ApiKey.endTxn, { ...producer, committed }))).errorCode
}

function batch(values: string[], { producerId, producerEpoch }: Producer, baseSequence: number): Buffer {
  const builder = new BatchBuilder({ producerId, producerEpoch, baseSequence, transactional: true })
  for (const value of values) builder.append(null, Buffer.from(value), [], Date.now())
  return builder.build()
}

const leaderOf = (partition: number): number => cluster.brokers[0]!.metadata.partition('t', partition)!.leader

async function write(
  producer: Producer, partition: number, values: string[], sequence: number, version = 11,
): Promise<{ errorCode: number; baseOffset: number; errorMessage: string | null }> {
  const { transactionalId } = producer
  const records = batch(values, producer, sequence)
  return eventually(async () => {
    const { responses } = await ask<{ responses: { partitionResponses: { errorCode: number; baseOffset: number; errorMessage: string | null }[] }[] }>(
      leaderOf(partition),
      ApiKey.produce,
      { transactionalId, acks: -1, timeoutMs: 5000, topicData: [{ name: 't', partitionData: [{ index: partition, records }] }] },
      version,
    )
    return responses[0]!.partitionResponses[0]!
  })
}

interface Read {
  errorCode: number
  highWatermark: number
  lastStableOffset: number
  abortedTransactions: { producerId: number; firstOffset: number }[] | null
  records: Buffer
}

async function read(partition: number, offset: number, isolationLevel: number): Promise<Read> {
  const { responses } = await ask<{ responses: { partitions: Read[] }[] }>(leaderOf(partition), ApiKey.fetch, {
    maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, isolationLevel,
    topics: [{ topic: 't', partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: 1_000_000 }] }],
  }, 12)
  return responses[0]!.partitions[0]!
}

/** As a consumer of committed data does it. */
function committed({ records, abortedTransactions }: Read): string[] {
  const values: string[] = []
  const aborted = new Set<number>()
  const starts = [...(abortedTransactions ?? [])]
  for (const each of iterateBatches(records)) {
    const producerId = Number(each.readBigInt64BE(43))
    const baseOffset = Number(each.readBigInt64BE(0))
    for (const start of starts) if (start.firstOffset <= baseOffset) aborted.add(start.producerId)
    if (isControlAt(each, 0)) aborted.delete(producerId)
    else if (!aborted.has(producerId)) values.push(...decodeRecords(each).map(({ value }) => value!.toString()))
  }
  return values
}

async function latest(partition: number, isolationLevel: number): Promise<number> {
  const { topics } = await ask<{ topics: { partitions: { offset: number }[] }[] }>(leaderOf(partition), ApiKey.listOffsets, {
    replicaId: -1, isolationLevel, topics: [{ name: 't', partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
  })
  return topics[0]!.partitions[0]!.offset
}

/** Until the marker is there. */
async function untilStable(partition: number): Promise<void> {
  while ((await latest(partition, 1)) !== (await latest(partition, 0))) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('committed and aborted transactions, as readers of both kinds see them', async () => {
  const producer = await init('seen')
  expect(await addPartitions(producer, [0, 1])).toEqual([0, 0])
  const start = await latest(0, 0)
  expect(await write(producer, 0, ['a', 'b'], 0)).toMatchObject({ errorCode: 0, baseOffset: start })
  expect(await latest(0, 0)).toBe(start + 2)
  expect(await latest(0, 1)).toBe(start)
  expect(committed(await read(0, start, 1))).toEqual([])
  expect(await read(0, start, 1)).toMatchObject({ lastStableOffset: start, highWatermark: start + 2 })
  expect(await end(producer, true)).toBe(ErrorCode.NONE)
  await untilStable(0)
  expect(await latest(0, 1)).toBe(start + 3)

  expect(await addPartitions(producer, [0])).toEqual([0])
  expect(await write(producer, 0, ['c'], 2)).toMatchObject({ errorCode: 0 })
  expect(await end(producer, false)).toBe(ErrorCode.NONE)
  await untilStable(0)
  const result = await read(0, start, 1)
  expect(committed(result)).toEqual(['a', 'b'])
  expect(result.abortedTransactions).toEqual([{ producerId: producer.producerId, firstOffset: start + 3 }])
  expect((await read(0, start, 0)).abortedTransactions).toBeNull()
})

test.each([[10, ErrorCode.INVALID_TXN_STATE], [11, ErrorCode.TRANSACTION_ABORTABLE]])(
  'a partition that is not in the transaction is not written to (Produce %d)',
  async (version, errorCode) => {
    // Some of the leaders are the coordinator, others have to ask it.
    const producer = await init(`unverified-${version}`)
    for (const partition of [0, 1, 2, 3]) {
      const before = await latest(partition, 0)
      const result = await write(producer, partition, ['a'], 0, version)
      expect(result.errorCode).toBe(errorCode)
      if (version === 10) expect(result.errorMessage).toBe('Partition was not added to the transaction')
      expect(await latest(partition, 0)).toBe(before)
    }
    expect(await addPartitions(producer, [0, 1, 2, 3])).toEqual([0, 0, 0, 0])
    for (const partition of [0, 1, 2, 3]) expect(await write(producer, partition, ['a'], 0, version)).toMatchObject({ errorCode: 0 })
    expect(await end(producer, true)).toBe(ErrorCode.NONE)
  },
)

test('a producer that was replaced is fenced everywhere', async () => {
  const old = await init('fenced')
  await addPartitions(old, [0, 1])
  expect(await write(old, 0, ['old'], 0)).toMatchObject({ errorCode: 0 })
  const fresh = await init('fenced')
  expect(fresh).toEqual({ ...old, producerEpoch: old.producerEpoch + 2 })
  for (const partition of [0, 1, 2]) {
    expect(await write(old, partition, ['zombie'], 1)).toMatchObject({ errorCode: ErrorCode.INVALID_PRODUCER_EPOCH })
  }
  expect(await addPartitions(old, [0])).toEqual([ErrorCode.PRODUCER_FENCED])
  expect(await end(old, true)).toBe(ErrorCode.PRODUCER_FENCED)
  const broker = await coordinatorOf('fenced')
  expect((await ask(broker, ApiKey.endTxn, { ...old, committed: true }, 1)).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  expect((await ask(broker, ApiKey.initProducerId, { ...old, transactionTimeoutMs: 1000 }, 3)).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  expect((await ask(broker, ApiKey.initProducerId, { ...old, transactionTimeoutMs: 1000 }, 4)).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
})

test('no partition is added if one of them does not exist', async () => {
  const producer = await init('unknown')
  expect(await addPartitions(producer, [0, 99])).toEqual([ErrorCode.OPERATION_NOT_ATTEMPTED, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  expect(await end(producer, true)).toBe(ErrorCode.INVALID_TXN_STATE)
})

test('transactional records without a transactional id, and of two producers', async () => {
  const producer = await init('two')
  const other = await init('another')
  await addPartitions(producer, [0, 1])
  const produce = (transactionalId: string | null, first: Producer, second: Producer) =>
    ask<{ responses: { partitionResponses: { errorCode: number }[] }[] }>(leaderOf(0), ApiKey.produce, {
      transactionalId, acks: -1, timeoutMs: 5000,
      topicData: [{ name: 't', partitionData: [{ index: 0, records: batch(['x'], first, 0) }, { index: 1, records: batch(['x'], second, 0) }] }],
    }, 11)
  const codes = async (answer: ReturnType<typeof produce>) => (await answer).responses[0]!.partitionResponses.map(({ errorCode }) => errorCode)
  expect(await codes(produce(null, producer, producer))).toEqual(Array(2).fill(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED))
  expect(await codes(produce('two', producer, other))).toEqual(Array(2).fill(ErrorCode.INVALID_PRODUCER_ID_MAPPING))
  expect(await end(producer, false)).toBe(ErrorCode.NONE)
})

test('a transaction that is open for too long ends', async () => {
  const producer = await init('slow', 300)
  await addPartitions(producer, [2])
  await write(producer, 2, ['slow'], 0)
  await untilStable(2)
  expect(await end(producer, true)).toBe(ErrorCode.PRODUCER_FENCED)
})

test('what the tools ask', async () => {
  const producer = await init('described')
  await addPartitions(producer, [3])
  const offset = await latest(3, 0)
  await write(producer, 3, ['x'], 0)
  const coordinator = await coordinatorOf('described')
  const { transactionStates } = await ask<{ transactionStates: object[] }>(coordinator, ApiKey.describeTransactions, { transactionalIds: ['described', 'nobody'] })
  const other = transactionStates[1] as { errorCode: number }
  expect([ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, ErrorCode.NOT_COORDINATOR]).toContain(other.errorCode)
  expect(transactionStates[0]).toMatchObject({
    errorCode: 0, transactionState: 'Ongoing', transactionTimeoutMs: 60_000, producerId: producer.producerId, producerEpoch: 0,
    topics: [{ topic: 't', partitions: [3] }],
  })
  const listed = await ask<{ transactionStates: { transactionalId: string }[] }>(coordinator, ApiKey.listTransactions, { stateFilters: ['Ongoing'] })
  expect(listed.transactionStates).toContainEqual({ transactionalId: 'described', producerId: producer.producerId, transactionState: 'Ongoing' })
  const { topics } = await ask<{ topics: { partitions: { activeProducers: object[] }[] }[] }>(leaderOf(3), ApiKey.describeProducers, {
    topics: [{ name: 't', partitionIndexes: [3] }],
  })
  expect(topics[0]!.partitions[0]!.activeProducers).toContainEqual(
    expect.objectContaining({ producerId: producer.producerId, producerEpoch: 0, lastSequence: 0, currentTxnStartOffset: offset }),
  )
  expect(await end(producer, true)).toBe(ErrorCode.NONE)
})

test('markers of another coordinator end what is open, older ones do not', async () => {
  const producer = await init('hanging')
  await addPartitions(producer, [1])
  await write(producer, 1, ['x'], 0)
  const mark = async (producerEpoch: number, coordinatorEpoch: number) => {
    const answer = await ask<{ markers: { topics: { partitions: { partitionIndex: number; errorCode: number }[] }[] }[] }>(
      leaderOf(1), ApiKey.writeTxnMarkers, {
        markers: [{
          producerId: producer.producerId, producerEpoch, coordinatorEpoch, transactionResult: false,
          topics: [{ name: 't', partitionIndexes: [1, 99] }],
        }],
      },
    )
    return answer.markers[0]!.topics[0]!.partitions.map(({ errorCode }) => errorCode)
  }
  expect(await mark(-1, 0)).toEqual([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  expect(await latest(1, 1)).toBeLessThan(await latest(1, 0))
  expect(await mark(0, 1000)).toEqual([ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  expect(await latest(1, 1)).toBe(await latest(1, 0))
  expect(await mark(0, 999)).toEqual([ErrorCode.TRANSACTION_COORDINATOR_FENCED, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
})

test('the topic and its records are Kafka’s', async () => {
  await init('recorded')
  const coordinator = cluster.brokers.find(({ brokerId }) => brokerId === 0) as Broker
  const { metadata } = coordinator
  const topic = metadata.topic('__transaction_state')!
  expect(topic.partitions.size).toBe(4)
  const { results } = await ask<{ results: { configs: { name: string; value: string; configSource: number }[] }[] }>(0, ApiKey.describeConfigs, {
    resources: [{ resourceType: 2, resourceName: '__transaction_state', configurationKeys: null }],
  })
  const own = results[0]!.configs.filter(({ configSource }) => configSource === 1).map(({ name, value }) => [name, value])
  expect(Object.fromEntries(own)).toEqual({
    'cleanup.policy': 'compact', 'compression.type': 'uncompressed', 'min.insync.replicas': '1', 'segment.bytes': '104857600',
    'unclean.leader.election.enable': 'false',
  })
  const records: [string | undefined, number][] = []
  for (const [index, { leader }] of topic.partitions) {
    const { responses } = await ask<{ responses: { partitions: Read[] }[] }>(leader, ApiKey.fetch, {
      maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000,
      topics: [{ topic: '__transaction_state', partitions: [{ partition: index, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
    }, 12)
    for (const each of iterateBatches(responses[0]!.partitions[0]!.records)) {
      for (const { key, value } of decodeRecords(each)) {
        records.push([decodeTransactionKey(key as Buffer), decodeTransactionValue(value as Buffer).transactionStatus])
      }
    }
  }
  expect(records.filter(([id]) => id === 'seen').map(([, status]) => status)).toEqual([0, 1, 2, 4, 1, 3, 5])
})
