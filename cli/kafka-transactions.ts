import { Admin } from '../client/admin'
import { ErrorCode, ProtocolError } from '../protocol/errors'
import { partitionKey } from '../client/leaders'
import { Failure, runArgparseTool } from './tool/argparse-tool'
import { printJson } from './tool/json'
import { PARSER } from './transactions/grammar'
import { candidates, hanging } from './transactions/hanging'
import { propertiesIn } from './tool/run'
import { tabTable } from './tool/table'
import type { Arguments } from './tool/argparse'
import type { ProducersOfPartition, TransactionDescription, TransactionToAbort } from '../client/admin/transactions'
import type { TopicPartition } from '../client/leaders'

/** Partitions that are asked for at once. */
const BATCH = 500
const MINUTE_MS = 60_000

function failure(what: string, error: unknown): Failure {
  return new Failure(
    `${what}: ${error instanceof Error ? error.message : String(error)}. Enable debug logging for additional detail.`,
  )
}

/** Puts what was tried in front of what went wrong. */
async function trying<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw failure(what, error)
  }
}

function describesUnknownId(transactionalId: string, error: Error): Error {
  return error instanceof ProtocolError && error.code === ErrorCode.TRANSACTIONAL_ID_NOT_FOUND
    ? new Error(
        `DescribeTransactions request for transactionalId \`${transactionalId}\` failed because the ID could not be found`,
      )
    : error
}

async function list(admin: Admin, given: Arguments): Promise<void> {
  const durationMs = given.number('--duration-filter')
  const transactions = await trying('Failed to list transactions', async () =>
    [...(await admin.listTransactions({ ...(durationMs === undefined ? {} : { durationMs }) }))].flatMap(
      ([coordinatorId, listings]) => {
        if (listings instanceof Error) throw listings
        return listings.map(({ transactionalId, producerId, state }) => ({ transactionalId, coordinatorId, producerId, state }))
      },
    ),
  )
  if (given.has('--json')) {
    printJson({ transactions })
    return
  }
  const rows = transactions.map((each) => [each.transactionalId, each.coordinatorId, each.producerId, each.state])
  process.stdout.write(tabTable(['TransactionalId', 'Coordinator', 'ProducerId', 'TransactionState'], rows))
}

async function describe(admin: Admin, given: Arguments): Promise<void> {
  const id = given.text('--transactional-id')!
  const found = await trying(`Failed to describe transaction state of transactional-id \`${id}\``, async () => {
    const result = (await admin.describeTransactions([id])).get(id)!
    if (result instanceof Error) throw describesUnknownId(id, result)
    return result
  })
  if (given.has('--json')) {
    printJson({
      transactionalId: id,
      coordinatorId: found.coordinatorId,
      producerId: found.producerId,
      producerEpoch: found.producerEpoch,
      state: found.state,
      transactionTimeoutMs: found.timeoutMs,
      transactionStartTimeMs: found.startTimeMs ?? null,
      topicPartitions: found.partitions.map(({ topic, partition }) => ({ topic, partition })),
    })
    return
  }
  const headers = [
    'CoordinatorId',
    'TransactionalId',
    'ProducerId',
    'ProducerEpoch',
    'TransactionState',
    'TransactionTimeoutMs',
    'CurrentTransactionStartTimeMs',
    'TransactionDurationMs',
    'TopicPartitions',
  ]
  const row = [
    found.coordinatorId,
    id,
    found.producerId,
    found.producerEpoch,
    found.state,
    found.timeoutMs,
    found.startTimeMs ?? 'None',
    found.startTimeMs === undefined ? 'None' : Date.now() - found.startTimeMs,
    found.partitions.map(({ topic, partition }) => partitionKey(topic, partition)).join(','),
  ]
  process.stdout.write(tabTable(headers, [row]))
}

function producerFields(producer: ProducersOfPartition['activeProducers'][number]): object {
  return {
    producerId: producer.producerId,
    producerEpoch: producer.producerEpoch,
    coordinatorEpoch: producer.coordinatorEpoch ?? null,
    lastSequence: producer.lastSequence,
    lastTimestamp: producer.lastTimestamp,
    currentTransactionStartOffset: producer.currentTransactionStartOffset ?? null,
  }
}

async function describeProducers(admin: Admin, given: Arguments): Promise<void> {
  const place = { topic: given.text('--topic')!, partition: given.number('--partition')! }
  const key = partitionKey(place.topic, place.partition)
  const brokerId = given.number('--broker-id')
  const where = brokerId === undefined ? 'leader' : `broker ${brokerId}`
  const found = await trying(`Failed to describe producers for partition ${key} on ${where}`, () =>
    admin.describeProducers([place], brokerId === undefined ? {} : { brokerId }),
  )
  const { activeProducers } = found.get(key)!
  if (given.has('--json')) {
    printJson({ ...place, activeProducers: activeProducers.map(producerFields) })
    return
  }
  const headers = [
    'ProducerId',
    'ProducerEpoch',
    'LatestCoordinatorEpoch',
    'LastSequence',
    'LastTimestamp',
    'CurrentTransactionStartOffset',
  ]
  const rows = activeProducers.map((each) => [
    each.producerId,
    each.producerEpoch,
    each.coordinatorEpoch ?? -1,
    each.lastSequence,
    each.lastTimestamp,
    each.currentTransactionStartOffset ?? 'None',
  ])
  process.stdout.write(tabTable(headers, rows))
}

async function abort(admin: Admin, given: Arguments): Promise<void> {
  const place = { topic: given.text('--topic')!, partition: given.number('--partition')! }
  const key = partitionKey(place.topic, place.partition)
  const startOffset = given.number('--start-offset')
  const producerId = given.number('--producer-id')
  let transaction: TransactionToAbort
  if (startOffset !== undefined) {
    const found = await trying(`Failed to validate producer state for partition ${key}`, () => admin.describeProducers([place]))
    const producer = found.get(key)!.activeProducers.find((each) => each.currentTransactionStartOffset === startOffset)
    if (producer === undefined)
      throw new Failure(`Could not find any open transactions starting at offset ${startOffset} on partition ${key}`)
    transaction = {
      ...place,
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      coordinatorEpoch: producer.coordinatorEpoch ?? 0,
    }
  } else if (producerId !== undefined) {
    const [producerEpoch, coordinatorEpoch] = [given.number('--producer-epoch'), given.number('--coordinator-epoch')]
    if (producerEpoch === undefined) throw new Failure('Missing required argument --producer-epoch')
    if (coordinatorEpoch === undefined) throw new Failure('Missing required argument --coordinator-epoch')
    // A transaction that hangs since before its producer's first marker shows -1.
    transaction = { ...place, producerId, producerEpoch, coordinatorEpoch: Math.max(coordinatorEpoch, 0) }
  } else {
    throw new Failure(
      'The transaction to abort must be identified either with --start-offset (for brokers on 3.0 or above) or with ' +
        '--producer-id, --producer-epoch, and --coordinator-epoch (for older brokers)',
    )
  }
  const shown =
    `AbortTransactionSpec(topicPartition=${key}, producerId=${transaction.producerId}, ` +
    `producerEpoch=${transaction.producerEpoch}, coordinatorEpoch=${transaction.coordinatorEpoch})`
  await trying(`Failed to abort transaction ${shown}`, () => admin.abortTransaction(transaction))
}

async function partitionsToSearch(admin: Admin, given: Arguments): Promise<TopicPartition[]> {
  const [topic, partition, brokerId] = [given.text('--topic'), given.number('--partition'), given.number('--broker-id')]
  if (topic !== undefined && partition !== undefined) return [{ topic, partition }]
  const topics =
    topic === undefined ? (await trying('Failed to list topics', () => admin.listTopics())).map(({ name }) => name) : [topic]
  const found = await trying(`Failed to describe ${topics.length} topics`, async () => {
    const described = await admin.describeTopics(topics)
    const wrong = described.find(({ errorCode }) => errorCode !== 0)
    if (wrong !== undefined) throw new ProtocolError(wrong.errorCode)
    return described
  })
  return found.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ replicas }) => brokerId === undefined || replicas.includes(brokerId))
      .map(({ partition: number }) => ({ topic: name, partition: number })),
  )
}

async function findHanging(admin: Admin, given: Arguments): Promise<void> {
  if (!given.has('--topic') && !given.has('--broker-id'))
    throw new Failure('The `find-hanging` command requires either --topic or --broker-id to limit the scope of the search')
  if (given.has('--partition') && !given.has('--topic'))
    throw new Failure('The --partition argument requires --topic to be provided')
  const brokerId = given.number('--broker-id')
  const partitions = await partitionsToSearch(admin, given)
  const producers: ProducersOfPartition[] = []
  for (let at = 0; at < partitions.length; at += BATCH) {
    const batch = partitions.slice(at, at + BATCH)
    const found = await trying(
      `Failed to describe producers for ${batch.length} partitions on broker ${brokerId ?? 'Optional.empty'}`,
      () => admin.describeProducers(batch, brokerId === undefined ? {} : { brokerId }),
    )
    producers.push(...found.values())
  }
  const open = candidates(producers, given.number('--max-transaction-timeout')! * MINUTE_MS, Date.now())
  const transactionalIds =
    open.length === 0
      ? new Map<number, string>()
      : await transactionalIdsOf(
          admin,
          open.map(({ producer }) => producer.producerId),
        )
  const found = hanging(open, transactionalIds, await descriptionsOf(admin, [...transactionalIds.values()]))
  if (given.has('--json')) {
    const transactions = found.map(({ topic, partition, producer }) => ({ topic, partition, ...producerFields(producer) }))
    printJson({ transactions })
    return
  }
  const headers = [
    'Topic',
    'Partition',
    'ProducerId',
    'ProducerEpoch',
    'CoordinatorEpoch',
    'StartOffset',
    'LastTimestamp',
    'Duration(min)',
  ]
  const rows = found.map(({ topic, partition, producer }) => [
    topic,
    partition,
    producer.producerId,
    producer.producerEpoch,
    producer.coordinatorEpoch ?? -1,
    producer.currentTransactionStartOffset ?? -1,
    producer.lastTimestamp,
    Math.trunc((Date.now() - producer.lastTimestamp) / MINUTE_MS),
  ])
  process.stdout.write(tabTable(headers, rows))
}

async function transactionalIdsOf(admin: Admin, producerIds: readonly number[]): Promise<Map<number, string>> {
  const wanted = [...new Set(producerIds)]
  return trying(`Failed to list transactions for ${wanted.length} producers`, async () => {
    const ids = new Map<number, string>()
    for (const listings of (await admin.listTransactions({ producerIds: wanted })).values()) {
      if (listings instanceof Error) throw listings
      for (const { producerId, transactionalId } of listings)
        if (wanted.includes(producerId)) ids.set(producerId, transactionalId)
    }
    return ids
  })
}

async function descriptionsOf(admin: Admin, transactionalIds: readonly string[]): Promise<Map<string, TransactionDescription>> {
  if (transactionalIds.length === 0) return new Map()
  return trying(`Failed to describe ${transactionalIds.length} transactions`, async () => {
    const descriptions = new Map<string, TransactionDescription>()
    for (const [id, result] of await admin.describeTransactions(transactionalIds)) {
      if (!(result instanceof Error)) descriptions.set(id, result)
      else if (!(result instanceof ProtocolError && result.code === ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)) throw result
    }
    return descriptions
  })
}

void runArgparseTool(PARSER, async (given) => {
  const file = given.text('--command-config')
  const admin = new Admin({
    ...(file === undefined ? {} : propertiesIn(file)),
    'bootstrap.servers': given.text('--bootstrap-server'),
  })
  const commands: Readonly<Record<string, (admin: Admin, given: Arguments) => Promise<void>>> = {
    list,
    describe,
    'describe-producers': describeProducers,
    abort,
    'find-hanging': findHanging,
  }
  try {
    await commands[given.command!]!(admin, given)
  } finally {
    await admin.close()
  }
})
